// Records for people, one line each: `Nov 23 03:14:07 shop/odoo-7b569fd464-j7trx odoo[2]: message`, and of the journal, as journalctl
// has them, `Nov 23 03:14:07 node-1 kubelet[812]: message`.
package import Bytes
import Disk

/// Turns stored records back into lines as a person reads them.
package struct ShortFormat: ~Copyable {
    private let isColored: Bool
    private var line = Arena(capacity: 4096)
    private var members = Column<JSONMember>(capacity: 64)
    private var inner = Column<JSONMember>(capacity: 64)

    package init(isColored: Bool) { self.isColored = isColored }

    /// Appends each record of `text` (lines of JSON) to `out`.
    package mutating func append(_ text: Span<UInt8>, to out: inout Arena) {
        var start = 0
        while start < text.count {
            let end = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start) ?? text.count
            line.removeAll()
            line.append(text.extracting(start..<end))
            appendRecord(&out)
            start = end + 1
        }
    }

    private mutating func appendRecord(_ out: inout Arena) {
        members.removeAll()
        let scan = JSONScanner.scanObject(line, from: 0, to: line.count, tape: &members)
        guard scan.isObject else {
            out.append(line.span)
            out.append("\n")
            return
        }
        let severity = text(of: "severity")
        appendTime(&out)
        appendPlace(&out)
        let color = isColored ? ShortFormat.color(severity) : ""
        out.append(text: color)
        appendMessage(&out)
        if !color.isEmpty { out.append("\u{1b}[0m") }
        out.append("\n")
    }

    /// Red from `error` on, yellow for warnings, dim below `info`: as journalctl paints.
    private static func color(_ severity: String) -> String {
        switch severity {
        case "emergency", "alert", "critical", "error": "\u{1b}[31m"
        case "warning": "\u{1b}[33m"
        case "notice": "\u{1b}[1m"
        case "debug", "trace": "\u{1b}[2m"
        default: ""
        }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private func appendTime(_ out: inout Arena) {
        guard let member = member("time") else { return }
        var parser = TimestampParser()
        let time = parser.parse(line, from: member.valueStart + 1, to: member.valueStart + member.valueLength - 1)
        guard time != TimestampParser.invalid else { return }
        let offset = Int64(Machine.localOffset(at: time / 1_000_000_000)) * 1_000_000_000
        let local = CivilTime(nanoseconds: time + offset)
        out.append(text: ShortFormat.months[local.date.month - 1])
        func two(_ number: Int, _ pad: StaticString, _ out: inout Arena) {
            if number < 10 { out.append(pad) }
            out.append(decimal: number)
        }
        out.append(" ")
        two(local.date.day, " ", &out)
        out.append(" ")
        two(local.hour, "0", &out)
        out.append(":")
        two(local.minute, "0", &out)
        out.append(":")
        two(local.second, "0", &out)
        out.append(" ")
    }

    /// `shop/web-1 nginx[2]: `, `node-1 kubelet[812]: `, or the path of a file.
    private mutating func appendPlace(_ out: inout Arena) {
        if let place = member("kubernetes") {
            inner.removeAll()
            _ = JSONScanner.scanObject(
                line, from: place.valueStart, to: place.valueStart + place.valueLength, tape: &inner)
            appendPrintable(innerText("namespace_name"), &out)
            out.append("/")
            appendPrintable(innerText("pod_name"), &out)
            out.append(" ")
            appendPrintable(innerText("container_name"), &out)
            let restarts = innerText("restart_count")
            if restarts != "0" && !restarts.isEmpty { out.append(text: "[\(restarts)]") }
            out.append(": ")
        } else if let place = member("journal") {
            inner.removeAll()
            _ = JSONScanner.scanObject(
                line, from: place.valueStart, to: place.valueStart + place.valueLength, tape: &inner)
            appendPrintable(innerText("node_name"), &out)
            out.append(" ")
            let identifier = innerText("identifier")
            let unit = innerText("unit")
            appendPrintable(!identifier.isEmpty ? identifier : unit.isEmpty ? "unknown" : unit, &out)
            let pid = innerText("pid")
            if !pid.isEmpty { out.append(text: "[\(pid)]") }
            out.append(": ")
        } else if let place = member("file") {
            inner.removeAll()
            _ = JSONScanner.scanObject(
                line, from: place.valueStart, to: place.valueStart + place.valueLength, tape: &inner)
            appendPrintable(innerText("path"), &out)
            out.append(": ")
        }
    }

    /// The message, or what a JSON message calls it, then the members that such a message had as `key=value`. They end at
    /// `origin`: what follows is the same for every record of the source.
    private mutating func appendMessage(_ out: inout Arena) {
        let klog = member("klog")
        var message: JSONMember?
        for name in ["message", "msg", "MESSAGE", "log"] where message == nil { message = member(name) }
        if let message { appendValue(message, &out) }
        var isFirst = message == nil
        for index in 0..<members.count {
            let member = members[index]
            let name = String(decoding: JSONScanner.decodedKey(line, member), as: UTF8.self)
            if name == "origin" { break }
            if ["time", "stream", "severity", "sluice"].contains(name) || member.keyStart == message?.keyStart {
                continue
            }
            if let klog {
                // Of a klog line, what an operator reads is the message and the pairs.
                if member.keyStart == klog.keyStart { appendPairs(klog, &out) }
                if member.keyStart == klog.keyStart || name == "caller" { continue }
            }
            if !isFirst { out.append(" ") }
            isFirst = false
            appendPrintable(name, &out)
            out.append("=")
            appendValue(member, &out)
        }
    }

    /// The pairs of a klog line.
    private mutating func appendPairs(_ klog: JSONMember, _ out: inout Arena) {
        inner.removeAll()
        _ = JSONScanner.scanObject(line, from: klog.valueStart, to: klog.valueStart + klog.valueLength, tape: &inner)
        for index in 0..<inner.count {
            let name = String(decoding: JSONScanner.decodedKey(line, inner[index]), as: UTF8.self)
            if name == "time" || name == "thread" { continue }
            out.append(" ")
            appendPrintable(name, &out)
            out.append("=")
            appendValue(inner[index], &out)
        }
    }

    /// A string without its quotes, anything else as it stands.
    private func appendValue(_ member: JSONMember, _ out: inout Arena) { appendPrintable(value(member), &out) }

    /// Control characters stay escaped, C1's too: they could drive a terminal.
    private func appendPrintable(_ text: String, _ out: inout Arena) {
        for scalar in text.unicodeScalars {
            let code = UInt8(exactly: scalar.value) ?? 0xff
            if scalar != "\t", code < 0x20 || code >= 0x7f && code < 0xa0 {
                out.append("\\x")
                for digit in [code >> 4, code & 15] { out.append(digit < 10 ? 48 + digit : 87 + digit) }
            } else {
                for byte in UTF8.encode(scalar) ?? .init() { out.append(byte) }
            }
        }
    }

    private func member(_ name: StaticString) -> JSONMember? {
        for index in 0..<members.count where JSONScanner.keyEquals(line, members[index], name) { return members[index] }
        return nil
    }

    private func member(_ name: String) -> JSONMember? {
        let bytes = Array(name.utf8)
        for index in 0..<members.count where JSONScanner.keyEquals(line, members[index], bytes) {
            return members[index]
        }
        return nil
    }

    private func text(of name: StaticString) -> String {
        guard let member = member(name) else { return "" }
        return value(member)
    }

    private func innerText(_ name: StaticString) -> String {
        for index in 0..<inner.count where JSONScanner.keyEquals(line, inner[index], name) {
            return value(inner[index])
        }
        return ""
    }

    private func value(_ member: JSONMember) -> String {
        guard line[member.valueStart] == UInt8(ascii: "\"") else {
            return String(decoding: line.span.extracting(member.valueStart..<(member.valueStart + member.valueLength)))
        }
        return String(
            decoding: JSONScanner.unescape(line, from: member.valueStart + 1, count: member.valueLength - 2),
            as: UTF8.self)
    }
}
