// Logs with something to read, in the order of their turns.

/// A queue whose first element is served, moved to the back or removed; all in constant time.
struct ReadyQueue {
    private var families: [LogFamily] = []
    private var head = 0

    var count: Int { families.count - head }
    var isEmpty: Bool { count == 0 }
    var first: LogFamily? { isEmpty ? nil : families[head] }

    mutating func append(_ family: LogFamily) { families.append(family) }

    mutating func removeFirst() {
        head += 1
        if head > 64, head * 2 > families.count {
            families.removeFirst(head)
            head = 0
        }
    }

    mutating func moveFirstToBack() {
        guard let family = first else { return }
        removeFirst()
        append(family)
    }
}
