// The lane's one place to wait: descriptors, a deadline, and a call from another thread.
private import CLinux
private import Glibc

/// Wakes a `Poller` from any thread. Rings are not counted: several before one wait wake it once.
package final class Bell: Sendable {
    fileprivate let file: OwnedFile

    /// eventfd(2)
    package init() throws(DiskError) {
        let descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw DiskError("create", "eventfd") }
        file = OwnedFile(adopting: descriptor, path: "eventfd")
    }

    /// Wakes the poll loop, from any thread.
    package func ring() {
        var one: UInt64 = 1
        _ = unsafe Glibc.write(file.descriptor, &one, 8)
    }

    fileprivate func silence() {
        var count: UInt64 = 0
        _ = unsafe Glibc.read(file.descriptor, &count, 8)
    }
}

/// An epoll instance over the inputs' descriptors and one bell.
package struct Poller: ~Copyable {
    private let epoll: OwnedFile
    /// What wakes the loop from other threads.
    package let bell: Bell
    private var descriptors: [Int32] = []

    /// epoll_create1(2)
    package init(bell: Bell) throws(DiskError) {
        let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw DiskError("create", "epoll") }
        let epoll = OwnedFile(adopting: descriptor, path: "epoll")
        try Poller.control(epoll, EPOLL_CTL_ADD, bell.file.descriptor)
        self.epoll = epoll
        self.bell = bell
    }

    private static func control(
        _ epoll: borrowing OwnedFile, _ operation: Int32, _ descriptor: Int32
    ) throws(DiskError) {
        var event = unsafe epoll_event()
        unsafe event.events = UInt32(EPOLLIN.rawValue)
        unsafe event.data.fd = descriptor
        guard unsafe epoll_ctl(epoll.descriptor, operation, descriptor, &event) == 0 else {
            throw DiskError("poll", "descriptor \(descriptor)")
        }
    }

    /// Wakes the poller while `descriptor` can be read, until it is removed. epoll_ctl(2)
    package mutating func add(_ descriptor: Int32) throws(DiskError) {
        try Poller.control(epoll, EPOLL_CTL_ADD, descriptor)
        descriptors.append(descriptor)
    }

    /// Forgets a descriptor before it is closed.
    package mutating func remove(_ descriptor: Int32) {
        try? Poller.control(epoll, EPOLL_CTL_DEL, descriptor)
        descriptors.removeAll { $0 == descriptor }
    }

    /// Waits until a descriptor can be read, the bell rings or `nanoseconds` have passed (negative: for ever).
    /// Returns whether a descriptor can be read. epoll_wait(2)
    package func wait(nanoseconds: Int64) -> Bool {
        // Rounded up: a deadline that is 0.4 ms away must not become a busy loop of zero-millisecond waits.
        let milliseconds = nanoseconds < 0 ? -1 : Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 8)
        let n = unsafe epoll_wait(epoll.descriptor, &events, 8, milliseconds)
        var isReadable = false
        for i in 0..<max(0, Int(n)) {
            if unsafe events[i].data.fd == bell.file.descriptor { bell.silence() } else { isReadable = true }
        }
        return isReadable
    }

    /// Waits for the bell alone: what the other descriptors have to say can wait until the pause is over.
    /// Returns whether the bell rang. poll(2)
    package func pause(nanoseconds: Int64) -> Bool {
        guard nanoseconds > 0 else { return false }
        var waited = pollfd(fd: bell.file.descriptor, events: Int16(POLLIN), revents: 0)
        let n = unsafe poll(&waited, 1, Int32(clamping: (nanoseconds + 999_999) / 1_000_000))
        if n > 0 { bell.silence() }
        return n > 0
    }
}
