// Threads of our own: for the lane, for syncing, and for each output. Swift's shared pool has as many threads as cores, so
// a task that blocks in a system call stalls everybody else.
private import CLinux
private import Glibc
private import Synchronization

/// A named thread that runs one closure.
package final class OSThread: Sendable {
    private let done = Latch()

    /// Starts the thread. pthread_create(3)
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let done = self.done
        let start = unsafe Unmanaged.passRetained(
            Start(name: name) {
                body()
                done.open()
            })
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe sluice_name_thread(start.name)
                start.body()
                return nil
            }, unsafe start.toOpaque())
        precondition(code == 0, "no thread could be started: \(code)")
        pthread_detach(thread)
    }

    /// Waits until the closure has returned; blocks the calling thread.
    package func join() { done.wait() }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = String(name.prefix(15))
            self.body = body
        }
    }
}

/// A mutex and a condition variable: what a thread of ours sleeps on.
@safe
package final class Condition: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Takes the lock, lets go of it, wakes everybody who sleeps in `wait`.
    package func lock() { unsafe pthread_mutex_lock(mutex) }
    package func unlock() { unsafe pthread_mutex_unlock(mutex) }
    package func wakeAll() { unsafe pthread_cond_broadcast(condition) }
    /// Sleeps until woken; the lock must be held and is held again afterwards.
    package func wait() { unsafe pthread_cond_wait(condition, mutex) }
    /// Sleeps until woken or until the monotonic clock reads `deadline` nanoseconds.
    package func wait(until deadline: Int64) {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        unsafe pthread_cond_timedwait(condition, mutex, &time)
    }
}

/// A gate that opens once.
package final class Latch: Sendable {
    private let condition = Condition()
    private let isOpen = Atomic(false)

    package init() {}

    /// Opens the gate for everybody who waits and whoever comes later.
    package func open() {
        condition.lock()
        isOpen.store(true, ordering: .releasing)
        condition.wakeAll()
        condition.unlock()
    }

    /// Blocks the calling thread until the gate is open.
    package func wait() {
        condition.lock()
        while !isOpen.load(ordering: .acquiring) { condition.wait() }
        condition.unlock()
    }
}

/// Runs the tasks that prefer it one after the other on one thread of its own, so that they may block.
package final class ThreadExecutor: TaskExecutor, SerialExecutor {
    private let condition = Condition()
    private let state = Mutex(State())

    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    /// Starts the thread; it ends after `stop()`.
    package init(_ name: String) {
        _ = OSThread(name) { [self] in run() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        condition.lock()
        condition.wakeAll()
        condition.unlock()
    }

    /// Ends the thread when it has nothing left to run.
    package func stop() {
        state.withLock { $0.isStopped = true }
        condition.lock()
        condition.wakeAll()
        condition.unlock()
    }

    private func run() {
        while true {
            condition.lock()
            var jobs = takeJobs()
            while jobs?.isEmpty == true {
                condition.wait()
                jobs = takeJobs()
            }
            condition.unlock()
            guard let jobs else { return }
            for job in jobs {
                unsafe job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
        }
    }

    /// The jobs that wait, or nil when there will be none any more.
    private func takeJobs() -> [UnownedJob]? {
        state.withLock { state in
            if state.jobs.isEmpty { return state.isStopped ? nil : [] }
            defer { state.jobs.removeAll(keepingCapacity: true) }
            return state.jobs
        }
    }
}
