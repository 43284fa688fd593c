// Growable rows of fixed size, without reference counting: the tables of a batch.

/// A growable array of plain values that is recycled, not copied.
@safe
package struct Column<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline package var base: UnsafeMutablePointer<Element>
    @usableFromInline package var capacity: Int
    /// How many elements are in use.
    package var count = 0

    /// Creates an empty column with room for `capacity` elements.
    @inlinable package init(capacity: Int = 256) {
        self.capacity = max(1, capacity)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    @inlinable package var isEmpty: Bool { count == 0 }

    /// The element at `index`.
    @inlinable package subscript(index: Int) -> Element {
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
    @inlinable package mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    @inline(never)
    @usableFromInline package mutating func grow() {
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        unsafe moved.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity *= 2
    }

    /// Forgets all elements and keeps the room.
    @inlinable package mutating func removeAll() { count = 0 }

    /// Forgets the elements behind the first `newCount`.
    @inlinable package mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a column is truncated to less than it holds")
        count = newCount
    }
}
