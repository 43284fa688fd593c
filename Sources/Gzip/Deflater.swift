// Compresses one chunk at a time into deflate data that ends at a byte boundary and stands alone.
private import CZlib

#if ISAL
    private import CISAL
#endif

/// A deflate encoder whose output can be spliced: a full flush and no end of stream, then the empty final block `03 00`.
///
/// With the package trait ISAL it is ISA-L at level 1, otherwise zlib at level 1.
@safe
package struct Deflater: ~Copyable, @unchecked Sendable {
    /// The final block that closes every deflate stream of ours: fixed codes, nothing but the end mark.
    package static let finalBlock: [UInt8] = [0x03, 0x00]

    #if ISAL
        // 82 KB, and it points into itself: it has a fixed place on the heap.
        private let stream: UnsafeMutablePointer<isal_zstream>
        private let levelBuffer: UnsafeMutablePointer<UInt8>

        package init() {
            unsafe stream = .allocate(capacity: 1)
            unsafe levelBuffer = .allocate(capacity: Int(sluice_isal_level1_buffer_size))
        }

        deinit {
            unsafe stream.deallocate()
            unsafe levelBuffer.deallocate()
        }
    #else
        private let stream: UnsafeMutablePointer<z_stream>

        package init() {
            unsafe stream = .allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            let code = unsafe sluice_deflate_init_raw(stream, 1)
            precondition(code == Z_OK, "zlib cannot be started: \(code)")
        }

        deinit {
            _ = unsafe deflateEnd(stream)
            unsafe stream.deallocate()
        }
    #endif

    /// The name of the encoder, for `sluice version`.
    package static var encoderName: String {
        #if ISAL
            "isa-l"
        #else
            "zlib"
        #endif
    }

    /// The most bytes that `compress` can give for `count` bytes: stored blocks, their headers, the flush, the final block.
    package static func bound(_ count: Int) -> Int { count + count / 1000 * 6 + 4096 }

    /// Compresses `input` into `output`, the final block included, and returns the number of bytes written.
    /// `output` must have room for `bound(input.count)`. Nothing carries over from one call to the next.
    package mutating func compress(_ input: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int {
        precondition(output.count >= Deflater.bound(input.count), "there is no room for the compressed bytes")
        let written = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { unsafe run(source, $0) }
        }
        output[written] = Deflater.finalBlock[0]
        output[written + 1] = Deflater.finalBlock[1]
        return written + 2
    }

    #if ISAL
        private func run(_ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>) -> Int {
            unsafe isal_deflate_init(stream)
            unsafe stream.pointee.level = 1
            unsafe stream.pointee.level_buf = levelBuffer
            unsafe stream.pointee.level_buf_size = sluice_isal_level1_buffer_size
            unsafe stream.pointee.flush = UInt16(FULL_FLUSH)
            unsafe stream.pointee.end_of_stream = 0
            unsafe stream.pointee.gzip_flag = UInt16(IGZIP_DEFLATE)
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            unsafe stream.pointee.next_out = output.baseAddress
            unsafe stream.pointee.avail_out = UInt32(output.count - 2)
            let code = unsafe sluice_isal_deflate(stream)
            unsafe precondition(code == COMP_OK && stream.pointee.avail_in == 0, "isal_deflate failed: \(code)")
            return unsafe output.count - 2 - Int(stream.pointee.avail_out)
        }
    #else
        private func run(_ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>) -> Int {
            unsafe deflateReset(stream)
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            unsafe stream.pointee.next_out = output.baseAddress
            unsafe stream.pointee.avail_out = UInt32(output.count - 2)
            let code = unsafe deflate(stream, Z_FULL_FLUSH)
            unsafe precondition(code == Z_OK && stream.pointee.avail_in == 0, "deflate failed: \(code)")
            return unsafe output.count - 2 - Int(stream.pointee.avail_out)
        }
    #endif
}
