// What a discovery still has to look at. A node may have 20,000 containers: looking at all of them takes a while, and reading goes on
// in between.

/// A queue; taking from it is constant time.
struct Agenda<Item> {
    private var items: [Item] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }

    var count: Int { items.count - head }

    mutating func append(_ item: Item) { items.append(item) }

    /// The first item, which stays.
    var first: Item? { isEmpty ? nil : items[head] }

    /// Takes the first item.
    mutating func next() -> Item? {
        guard !isEmpty else { return nil }
        let item = items[head]
        head += 1
        if head == items.count {
            items = []
            head = 0
        } else if head > 1024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }
}
