// The input: log lines in memory, the same at every run.
import Bytes

/// Makes log lines as containers of a shop would write them: CRI, three quarters of them JSON.
struct LineMaker {
    private var state: UInt64 = 42
    private static let levels = ["debug", "info", "info", "info", "warn", "error"]
    private static let words = [
        "order", "payment", "cart", "timeout", "user", "item", "retry", "café", "shipped", "refused",
    ]

    mutating func below(_ n: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % n
    }

    /// Whole lines, `megabytes` MiB and a little more.
    mutating func lines(_ megabytes: Int) -> [UInt8] {
        var out = Arena(capacity: megabytes << 20 + 65_536)
        var times = TimestampWriter()
        var time: Int64 = 1_795_000_000_000_000_000
        var number = 0
        while out.count < megabytes << 20 {
            time += Int64(below(3_000_000))
            number += 1
            times.append(time, to: &out)
            out.append(below(20) == 0 ? " stderr F " : " stdout F ")
            if below(4) > 0 { appendObject(number, to: &out) } else { appendWords(8 + below(20), to: &out) }
            out.append("\n")
        }
        return Array(copying: out.span)
    }

    private mutating func appendObject(_ number: Int, to out: inout Arena) {
        out.append("{\"level\":\"")
        out.append(text: LineMaker.levels[Int(below(6))])
        out.append("\",\"sequence_id\":")
        out.append(decimal: number)
        out.append(",\"msg\":\"")
        appendWords(5 + below(12), to: &out)
        out.append("\",\"request\":{\"path\":\"/api/v1/orders/")
        out.append(decimal: Int(below(100_000)))
        out.append("\",\"status\":200,\"ms\":")
        out.append(decimal: Int(below(900)))
        out.append("}}")
    }

    mutating func appendWords(_ count: UInt64, to out: inout Arena) {
        for _ in 0..<count { out.append(text: LineMaker.words[Int(below(10))] + " ") }
    }
}
