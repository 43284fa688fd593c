// What a Kubernetes list says besides its items, wherever it stands: before them, behind them, or in their place.
import Bytes

/// What is around the items of a list; or all of an answer that is none, as a `Status` in its place.
package struct ListEnvelope: Equatable, Sendable {
    /// `PodList`, `Status`...; empty where it is missing.
    package var kind = ""
    /// From where on a watch can follow; empty where it is missing, as in the kubelet's answers.
    package var resourceVersion = ""
    /// What to ask for the rest of the list with; empty when this was all of it.
    package var continueToken = ""
    /// Whether there were items, be it none (`null` or `[]`).
    package var hasItems = false
    /// Of an answer that tells of an error instead.
    package var status = APIStatus()

    package init() {}
}

/// Gathers the bytes of a list without its items, and notices where those begin.
struct EnvelopeText: ~Copyable {
    private let limit: Int
    private var text = Arena(capacity: 512)
    private var nesting = JSONNesting()
    /// Behind the quote of the string among the outermost names and values that was last.
    private var stringStart = 0
    private var stringEnd = 0
    /// The value of `items` comes next.
    private var awaitsItems = false
    /// It came, and was an array.
    private var hadItems = false

    init(limit: Int) { self.limit = limit }

    /// Takes the next byte. Returns whether the items begin behind it; when they are over their last bracket is to be given here.
    mutating func take(_ byte: UInt8) throws(ObjectError) -> Bool {
        if nesting.depth == 0 {
            if byte.isJSONSpace { return false }
            guard byte == UInt8(ascii: "{") && text.count == 0 else {
                throw ObjectError("the answer is not one JSON object")
            }
        }
        guard text.count < limit else { throw ObjectError("more than \(limit) bytes are around the items") }
        let wasInString = nesting.isInString
        text.append(byte)
        nesting.step(byte)
        if nesting.depth == 1 {
            if nesting.isInString != wasInString {
                if wasInString { stringEnd = text.count - 1 } else { stringStart = text.count }
            } else if !wasInString, byte == UInt8(ascii: ":") {
                awaitsItems = nameIsItems
            } else if !wasInString, byte == UInt8(ascii: ",") {
                awaitsItems = false
            }
        }
        guard awaitsItems, nesting.depth == 2, byte == UInt8(ascii: "["), !wasInString else { return false }
        // Of two lists one would have to be forgotten, after its objects were handed on.
        guard !hadItems else { throw ObjectError("the answer has items twice") }
        awaitsItems = false
        hadItems = true
        return true
    }

    private var nameIsItems: Bool {
        let name = JSONScanner.unescape(text, from: stringStart, count: max(0, stringEnd - stringStart))
        return name.span.isEqual(to: "items")
    }

    /// What it says, once it is whole.
    func read() throws(ObjectError) -> ListEnvelope {
        guard text.count > 0 else { throw ObjectError("the answer is empty") }
        guard nesting.depth == 0 else { throw ObjectError("the answer ends before its last bracket") }
        guard let parts = JSONParts(text, 0..<text.count) else { throw ObjectError("the answer is not JSON") }
        let items = parts.members.filter { JSONScanner.keyEquals(text, $0, "items") }
        guard items.count <= 1 else { throw ObjectError("the answer has items twice") }
        if let only = items.first, !hadItems, text[only.valueStart] != UInt8(ascii: "n") {
            throw ObjectError("the items of the answer are not a list")
        }
        let metadata = parts.object("metadata", text)
        var envelope = ListEnvelope()
        envelope.kind = parts.text("kind", text) ?? ""
        envelope.resourceVersion = metadata.text("resourceVersion", text) ?? ""
        envelope.continueToken = metadata.text("continue", text) ?? ""
        envelope.hasItems = !items.isEmpty
        envelope.status = APIStatus(parts, text)
        return envelope
    }
}
