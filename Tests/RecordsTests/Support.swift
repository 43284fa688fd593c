// What the tests of this target share: records made of a message, and lines read back by a parser that is not ours.
import Bytes
import Foundation
import Records
import Testing

/// Encodes messages as the lane does.
struct Encoding {
    var mode = JSONMode.merge
    var fields: [String] = []
    var ending = ",\"origin\":\"test\"}\n"
    var stream = RecordStream.stdout
    var time: Int64 = 1_795_403_647_123_456_789
    var flags: RecordFlags = .none
    /// klog lines are taken apart behind JSON, as the lane does it, or before it.
    var klog = Klog.untouched

    enum Klog { case untouched, behindJSON, beforeJSON }

    /// The lines of records with these messages, and what was counted.
    func lines(_ messages: [[UInt8]]) -> (lines: [String], counts: Counts) {
        var batch = RecordBatch()
        batch.ending = Array(ending.utf8)
        for message in messages {
            let start = batch.arena.count
            batch.arena.append(message)
            batch.rows.append(Row(time: time, start: start, length: message.count, stream: stream, flags: flags))
        }
        if klog == .beforeJSON { batch.parseKlog() }
        if mode != .off { batch.parseJSON() }
        if klog == .behindJSON { batch.parseKlog() }
        var encoder = RecordEncoder(mode: mode, reserved: ReservedNames(fields: fields))
        var out = Arena(capacity: 16)
        var counts = Counts()
        for index in 0..<batch.rows.count { encoder.append(batch.rows[index], of: batch, to: &out, counts: &counts) }
        let text = String(decoding: (0..<out.count).map { out[$0] }, as: UTF8.self)
        // A newline inside of a record would make two of it.
        counts.add(batch.counts)
        return (text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init), counts)
    }

    /// One message's line.
    func line(_ message: String) -> String { lines([Array(message.utf8)]).lines.joined(separator: "<newline>") }

    /// One message's record, its line parsed.
    func record(_ message: String) throws -> [String: NSObject] { try parsed(line(message)) }

    /// The severity that is read from a message; nil for none.
    func severity(_ message: String) throws -> String? { try record(message)["severity"] as? String }
}

/// An object's members, read by Foundation.
func parsed(_ line: String) throws -> [String: NSObject] {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(object as? [String: NSObject], "not an object: \(line)")
}

/// A value of any kind, read by Foundation.
func value(_ text: String) throws -> NSObject {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    return try #require(value as? NSObject)
}
