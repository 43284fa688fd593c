// Growable rows of fixed size, without reference counting: the tables of a batch.

/// A growable array of plain values that is recycled, not copied.
@safe
public struct Column<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    /// Where the elements are, and how many there is room for. Public only to be inlined: use the methods.
    public var base: UnsafeMutablePointer<Element>
    public var capacity: Int
    /// How many elements are in use.
    public var count = 0

    /// Creates an empty column with room for `capacity` elements.
    public init(capacity: Int = 256) {
        self.capacity = max(1, capacity)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    /// Whether no element is in use.
    public var isEmpty: Bool { count == 0 }

    /// The element at `index`.
    public subscript(index: Int) -> Element {
        @inline(__always)
        get {
            precondition(index >= 0 && index < count, "column index out of range")
            return unsafe base[index]
        }
        @inline(__always)
        set {
            precondition(index >= 0 && index < count, "column index out of range")
            unsafe base[index] = newValue
        }
    }

    /// Appends one element.
    @inline(__always)
    public mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    /// Makes room for as many elements again; `append` calls it when there is none.
    @inline(never)
    public mutating func grow() {
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        unsafe moved.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity *= 2
    }

    /// Forgets all elements and keeps the room.
    public mutating func removeAll() { count = 0 }

    /// Forgets the elements behind the first `newCount`.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a column is truncated to less than it holds")
        count = newCount
    }
}
