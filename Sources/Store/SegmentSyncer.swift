// The helper thread that makes segments durable, so that the lane never waits for a disk.
import Disk
import Synchronization

/// Syncs what it is told to, one thing after the other, on a thread of its own.
final class SegmentSyncer: Sendable {
    /// What came of syncing a segment.
    struct Outcome: Sendable {
        /// So many bytes of the newest segment are durable.
        var syncedSize: UInt64 = 0
        /// Its name in its folder is durable too.
        var isFolderSynced = false
        var failure: DiskError?
    }

    /// A segment that is being written; shared with the thread.
    final class Target: Sendable {
        let file: OwnedFile
        let folder: String
        let outcome = Mutex(Outcome())

        init(file: consuming OwnedFile, folder: String) {
            self.file = file
            self.folder = folder
        }
    }

    private enum Job: Sendable {
        case segment(Target, size: UInt64)
        case call(@Sendable () -> Void)
        case stop
    }

    private let fileSystem: any FileSystem
    private let condition = Condition()
    private let jobs = Mutex<[Job]>([])
    private let thread = Mutex<OSThread?>(nil)

    init(_ fileSystem: any FileSystem) {
        self.fileSystem = fileSystem
        thread.withLock { $0 = OSThread("sluice-sync") { [self] in run() } }
    }

    /// Makes the first `size` bytes of the segment durable, and its name.
    func sync(_ target: Target, size: UInt64) { add(.segment(target, size: size)) }

    /// Runs something that may block for long, in turn with the syncs.
    func run(_ body: @escaping @Sendable () -> Void) { add(.call(body)) }

    /// Blocks until what was asked so far is done.
    func wait() {
        let isDone = Latch()
        run { isDone.open() }
        isDone.wait()
    }

    /// Does what is left to do and ends; blocks until then. Stopping twice is no error.
    func stop() {
        add(.stop)
        thread.withLock { $0 }?.join()
    }

    private func add(_ job: Job) {
        jobs.withLock { $0.append(job) }
        condition.lock()
        condition.wakeAll()
        condition.unlock()
    }

    private func run() {
        while true {
            condition.lock()
            while jobs.withLock({ $0.isEmpty }) { condition.wait() }
            condition.unlock()
            switch jobs.withLock({ $0.removeFirst() }) {
            case .stop: return
            case .call(let body): body()
            case .segment(let target, let size): sync(target, upTo: size)
            }
        }
    }

    private func sync(_ target: Target, upTo size: UInt64) {
        let before = target.outcome.withLock { $0 }
        // After a failed sync the kernel may have dropped the pages: trying again would report a false success.
        guard before.failure == nil else { return }
        do throws(DiskError) {
            try fileSystem.sync(target.file)
            if !before.isFolderSynced { try fileSystem.syncFolder(target.folder) }
            target.outcome.withLock {
                $0.syncedSize = max($0.syncedSize, size)
                $0.isFolderSynced = true
            }
        } catch {
            target.outcome.withLock { $0.failure = error }
        }
    }
}
