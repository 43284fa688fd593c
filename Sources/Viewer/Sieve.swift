import Bytes
package struct Sieve: ~Copyable {
    package init() {}
    mutating func pick(_ text: borrowing Arena, segment: Int, firstSequence: UInt64, into run: RecordRun) {}
}
