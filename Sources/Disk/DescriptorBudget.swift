// How the process's descriptors are shared out. Log files may be many more than there are descriptors, and whoever opens files until
// the last one is gone takes it from the store, from the outputs' connections, and from libraries that end the process for want of it.
private import Synchronization

/// How many descriptors log files may hold together: the process's limit less what is kept for everything else.
///
/// One value is shared by all inputs of an agent (`PluginContext.descriptors`). Whoever holds log files open notes each one, and
/// closes the ones that have been quiet for the longest before it opens another while the budget `isSpent`. It only counts: a file
/// that has to be opened at all costs (one that is about to be deleted, say) may go over it by a few.
package final class DescriptorBudget: Sendable {
    /// So many descriptors log files may hold, at least 8.
    package let most: Int
    private let count = Atomic(0)

    /// - Parameter limit: how many descriptors the process may have; raise it first (`Machine.raiseDescriptorLimit`).
    package init(limit: Int = Machine.descriptorLimit) {
        most = max(8, limit - DescriptorBudget.reserve(of: limit))
    }

    /// What is kept for the store, the outputs and their connections, journal files, watches, and libraries: half of a small limit,
    /// but not less than a small agent needs; and no more than a large agent can use.
    private static func reserve(of limit: Int) -> Int { min(2048, max(96, limit / 2)) }

    /// Descriptors that log files hold now.
    package var held: Int { count.load(ordering: .relaxed) }
    /// Whether one has to be closed before another is opened.
    package var isSpent: Bool { held >= most }

    /// Notes a log file that was opened.
    package func take() { count.add(1, ordering: .relaxed) }
    /// Notes that one was closed.
    package func giveBack() { count.subtract(1, ordering: .relaxed) }
}
