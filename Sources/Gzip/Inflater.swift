// Inflates what we and the kubelet compressed. zlib does it: input from outside deserves the most tested reader.
private import CZlib

/// An inflate stream that is fed and emptied piece by piece.
@safe
package struct Inflater: ~Copyable {
    /// What the input is wrapped in.
    package enum Wrapping: Sendable {
        /// Bare deflate data.
        case raw
        /// A gzip member.
        case gzip
    }

    /// How far one step came.
    package struct Step: Sendable {
        /// Bytes taken from the input, and bytes given out.
        package let consumed: Int
        package let produced: Int
        /// The end of the deflate stream (and, for gzip, its right trailer) was met.
        package let isAtEnd: Bool

        package init(consumed: Int, produced: Int, isAtEnd: Bool) {
            self.consumed = consumed
            self.produced = produced
            self.isAtEnd = isAtEnd
        }
    }

    private let stream: UnsafeMutablePointer<z_stream>

    package init(_ wrapping: Wrapping) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe sluice_inflate_init(stream, wrapping == .raw ? -15 : 31)
        precondition(code == Z_OK, "zlib cannot be started: \(code)")
    }

    deinit {
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Starts over with the next stream or member. inflateReset
    package mutating func reset() { unsafe inflateReset(stream) }

    /// Inflates as much as fits. inflate
    package mutating func step(
        _ input: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) throws(GzipError) -> Step {
        let inputCount = input.count
        let outputCount = output.count
        let code = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                return unsafe inflate(stream, Z_NO_FLUSH)
            }
        }
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .damaged }
        return unsafe Step(
            consumed: inputCount - Int(stream.pointee.avail_in),
            produced: outputCount - Int(stream.pointee.avail_out), isAtEnd: code == Z_STREAM_END)
    }

    /// Inflates a whole stream that is known to give exactly `output.count` bytes.
    package mutating func inflateAll(_ input: Span<UInt8>, into output: inout MutableSpan<UInt8>) throws(GzipError) {
        reset()
        let expected = output.count
        let first = try step(input, into: &output)
        guard first.produced == expected else { throw .cutShort }
        if first.isAtEnd { return }
        // The end mark may still be unread when the output is exactly full.
        var nothing = [UInt8](repeating: 0, count: 1)
        var rest = nothing.mutableSpan
        let last = try step(input.extracting(first.consumed..<input.count), into: &rest)
        guard last.isAtEnd, last.produced == 0 else { throw last.produced > 0 ? .tooLarge(limit: expected) : .cutShort }
    }
}
