// Cuts what a Kubernetes API answers into its objects while it arrives, so that neither a long list nor an endless watch has to be held.
package import Bytes

/// Finds whole JSON objects in bytes that come in pieces of any size.
///
/// Append a piece, then ask for `next()` until it gives nil, then append the following one; at the end of the body ask `finish()`
/// whether it was complete. Held are one object, at most `limit` bytes, one piece, and what stands around the items of a list.
///
/// It looks no closer at the objects than it has to for finding their ends: whoever reads one checks that it is JSON. What is around
/// and between them is checked here, so that a body whose objects can all be read and which `finish()` accepts is JSON as a whole.
package struct ObjectStream: ~Copyable {
    /// What a body consists of.
    package enum Shape: Sendable {
        /// One Kubernetes list: its objects are the elements of `items`.
        case list
        /// A watch: objects one after the other, with or without white space between them.
        case events
    }

    /// What `next()` found.
    package enum Piece: Equatable, Sendable {
        /// A whole object: `object` holds it until `next()` is called again.
        case object
        /// An object larger than the limit, which is lost.
        case passedOver(bytes: Int)
    }

    /// The object that was found last, and nothing else.
    package private(set) var object = Arena()

    private let limit: Int
    /// The pieces that were appended; `position` is how far they were looked at.
    private var input = Arena()
    private var position = 0
    private var place: Place
    private var nesting = JSONNesting()
    /// Bytes of the object that is being read; `object` holds them while they are no more than `limit`.
    private var size = 0
    /// Around the items of a list; nil for events.
    private var envelope: EnvelopeText?
    /// What was wrong once stays wrong: behind it nothing can be told apart.
    private var failure: ObjectError?

    /// Where `position` is.
    private enum Place {
        case envelope
        /// Between the items of a list: whether one may come, whether the list may end, and whether a comma has to come first.
        case firstItem, nextItem, behindItem
        case betweenEvents
        case inObject
    }

    /// Room for objects that is kept from one to the next.
    private static let usualSize = 256 << 10

    /// - Parameters:
    ///   - limit: bytes of the largest object that is wanted.
    ///   - envelopeLimit: bytes of a list around its items; more are an error.
    package init(_ shape: Shape, limit: Int, envelopeLimit: Int = 1 << 20) {
        self.limit = limit
        switch shape {
        case .list:
            place = .envelope
            envelope = EnvelopeText(limit: envelopeLimit)
        case .events:
            place = .betweenEvents
            envelope = nil
        }
    }

    /// Takes the next piece of the body. Objects that were not asked for stay.
    package mutating func append(_ bytes: Span<UInt8>) {
        if position == input.count {
            input.removeAll()
            position = 0
        }
        input.append(bytes)
    }

    /// The next object; nil when more bytes are needed for one. After an error there are no more.
    package mutating func next() throws(ObjectError) -> Piece? {
        if let failure { throw failure }
        do throws(ObjectError) {
            while position < input.count {
                if let piece = try step() { return piece }
            }
        } catch {
            failure = error
            throw error
        }
        return nil
    }

    /// Says that the body has ended, after `next()` gave nil.
    /// - Returns: what a list says besides its items; of events, nothing.
    @discardableResult
    package mutating func finish() throws(ObjectError) -> ListEnvelope {
        if let failure { throw failure }
        guard position == input.count else { throw ObjectError("the answer was not read to its end") }
        switch place {
        case .inObject: throw ObjectError("the answer ends within an object")
        case .firstItem, .nextItem, .behindItem: throw ObjectError("the answer ends within its items")
        case .betweenEvents: return ListEnvelope()
        case .envelope: return try envelope?.read() ?? ListEnvelope()
        }
    }

    // MARK: Bytes

    /// Goes on by at least one byte.
    private mutating func step() throws(ObjectError) -> Piece? {
        if place == .inObject { return try readObject() }
        let byte = input[position]
        if place != .envelope, byte.isJSONSpace {
            position += 1
            return nil
        }
        switch (place, byte) {
        case (.envelope, _):
            if try envelope?.take(byte) == true { place = .firstItem }
        case (.betweenEvents, UInt8(ascii: "{")), (.firstItem, UInt8(ascii: "{")), (.nextItem, UInt8(ascii: "{")):
            beginObject()
            // The bracket is read with the rest.
            return nil
        case (.firstItem, UInt8(ascii: "]")), (.behindItem, UInt8(ascii: "]")):
            _ = try envelope?.take(byte)
            place = .envelope
        case (.behindItem, UInt8(ascii: ",")):
            place = .nextItem
        case (.betweenEvents, _):
            throw ObjectError("something else than JSON objects is in the answer")
        default:
            throw ObjectError("something else than JSON objects is among the items")
        }
        position += 1
        return nil
    }

    private mutating func beginObject() {
        place = .inObject
        nesting = JSONNesting()
        size = 0
        object.shrink(toAtMost: ObjectStream.usualSize)
    }

    /// Goes on to the end of the object, or of the input.
    private mutating func readObject() throws(ObjectError) -> Piece? {
        let start = position
        var nesting = nesting
        repeat {
            nesting.step(input[position])
            position += 1
        } while nesting.depth > 0 && position < input.count
        self.nesting = nesting

        size += position - start
        if size <= limit {
            object.append(input, from: start, count: position - start)
        } else {
            object.shrink(toAtMost: ObjectStream.usualSize)
        }
        guard nesting.depth == 0 else { return nil }
        guard input[position - 1] == UInt8(ascii: "}") else {
            throw ObjectError("the brackets of an object do not match")
        }
        place = envelope == nil ? .betweenEvents : .behindItem
        return size <= limit ? .object : .passedOver(bytes: size)
    }
}
