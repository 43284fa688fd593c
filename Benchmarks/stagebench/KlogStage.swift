// What klog lines cost to take apart, and what looking for them costs where there are none. There is no C beside it.
import Bytes
import Disk
import Records

/// `RecordBatch.parseKlog` over lines in memory, a batch for each piece.
struct KlogStage: ~Copyable {
    private let input: [UInt8]
    private var at = 0
    private var batch = RecordBatch()
    private var encoder = RecordEncoder(mode: .merge, reserved: ReservedNames())
    private var text = Arena(capacity: 1 << 20)

    init(_ input: [UInt8]) { self.input = input }

    /// Nanoseconds of CPU time for all of the input: to take lines apart, and then to encode their records.
    mutating func round() -> (parse: Int64, encode: Int64) {
        var (parse, encode) = (0 as Int64, 0 as Int64)
        at = 0
        while at < input.count {
            take()
            let start = SystemClock.threadCPU
            batch.parseKlog()
            let parsed = SystemClock.threadCPU
            var counts = Counts()
            for index in 0..<batch.rows.count {
                encoder.append(batch.rows[index], of: batch, to: &text, counts: &counts)
            }
            parse += parsed - start
            encode += SystemClock.threadCPU - parsed
        }
        return (parse, encode)
    }

    /// The next piece, a row for each of its lines.
    private mutating func take() {
        batch.reset()
        text.removeAll()
        batch.ending = WayIn.ending
        KlogStage.append(input, at..<min(at + WayIn.pieceSize, input.count), to: &batch.arena)
        let end = batch.arena.count
        var line = 0
        while true {
            let newline = ByteSearch.firstIndex(
                of: UInt8(ascii: "\n"), in: batch.arena, from: line, to: end)
            guard newline >= 0 else { break }
            batch.rows.append(
                Row(time: 1_795_000_000_000_000_000, start: line, length: newline - line, stream: .stderr))
            line = newline + 1
        }
        at += line
    }

    private static func append(_ input: [UInt8], _ range: Range<Int>, to arena: inout Arena) {
        arena.append(input.span.extracting(range))
    }

    /// How many of the last piece's lines were klog, in hundredths.
    var share: Int {
        var parsed = 0
        for index in 0..<batch.rows.count where batch.rows[index].flags.contains(.parsed) { parsed += 1 }
        return parsed * 100 / max(1, batch.rows.count)
    }
}

extension LineMaker {
    /// Whole klog lines, `megabytes` MiB and a little more; of four, three are structured.
    mutating func klogLines(_ megabytes: Int) -> [UInt8] {
        var out = Arena(capacity: megabytes << 20 + 65_536)
        var number = 0
        while out.count < megabytes << 20 {
            number += 1
            out.append("I1123 03:28:02.")
            out.append(decimal: 100_000 + Int(below(900_000)))
            out.append("   16167 ")
            if below(4) > 0 {
                out.append("kubelet.go:2421] \"SyncLoop (PLEG): event for pod\" pod=\"shop/web-688b586558-")
                out.append(decimal: number)
                out.append(
                    "\" event=&{ID:9bcef0f6-9bf5-4076-ae7f-b2d7952894ca Type:ContainerStarted} err=\"failed to \\\"")
                appendWords(1 + below(3), to: &out)
                out.append("\\\" it\" containers=[nginx sidecar] attempt=")
                out.append(decimal: Int(below(9)))
            } else {
                out.append("reconciler.go:224] operationExecutor.MountVolume started for volume \"")
                appendWords(4 + below(10), to: &out)
            }
            out.append("\n")
        }
        return Array(copying: out.span)
    }
}
