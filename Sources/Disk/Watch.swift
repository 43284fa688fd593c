// inotify: which folders changed, and which files grew.
private import CLinux
private import Glibc

/// What inotify said of one watch.
package struct WatchEvent: Sendable {
    /// The watch it came from, as returned by `watchFolder` or `watchFileOnce`; -1 for an overflow.
    package let watch: Int32
    /// The name in the watched folder; empty for the watched file or folder itself.
    package let name: String
    /// Something appeared under this name: created, linked or moved in.
    package let isAppeared: Bool
    /// The name is gone: deleted or moved away.
    package let isGone: Bool
    /// A writer closed the file.
    package let isClosedAfterWrite: Bool
    /// Contents changed.
    package let isModified: Bool
    /// The watched folder itself was deleted or moved, or the watch ended by itself.
    package let isEnded: Bool
    /// The kernel dropped events: everything must be looked at.
    package let isOverflow: Bool
}

/// One inotify instance.
package struct Watcher: ~Copyable {
    /// The inotify descriptor, to be polled.
    package let file: OwnedFile
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// inotify_init1(2). Fails when the user has no instance left (fs.inotify.max_user_instances).
    package init() throws(DiskError) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw DiskError("start watching with", "inotify") }
        file = OwnedFile(adopting: descriptor, path: "inotify")
    }

    /// Watches names in a folder: appearing, going, closed after writing. inotify_add_watch(2)
    package func watchFolder(_ path: String) throws(DiskError) -> Int32 {
        let mask = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF
        return try add(path, UInt32(mask) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK))
    }

    /// Tells once when the open file changes, wherever its name has gone by now. inotify_add_watch(2)
    package func watchFileOnce(_ descriptor: Int32) throws(DiskError) -> Int32 {
        try add("/proc/self/fd/\(descriptor)", UInt32(IN_MODIFY) | UInt32(IN_ONESHOT))
    }

    /// Ends a watch; one that has ended already is no error. inotify_rm_watch(2)
    package func remove(_ watch: Int32) { _ = inotify_rm_watch(file.descriptor, watch) }

    private func add(_ path: String, _ mask: UInt32) throws(DiskError) -> Int32 {
        let watch = unsafe inotify_add_watch(file.descriptor, EscapedPath.bytes(of: path), mask)
        guard watch >= 0 else { throw DiskError("watch", path) }
        return watch
    }

    /// Hands every waiting event to `body`; returns at once when there is none. read(2)
    package mutating func drain(_ body: (WatchEvent) -> Void) {
        while true {
            let n = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(file.descriptor, $0.baseAddress, $0.count)
            }
            guard n > 0 else { return }
            var at = 0
            while at + 16 <= n {
                let (watch, mask, length) = unsafe buffer.withUnsafeBytes { bytes in
                    unsafe (
                        bytes.loadUnaligned(fromByteOffset: at, as: Int32.self),
                        bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self),
                        Int(bytes.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self))
                    )
                }
                let name = buffer[(at + 16)..<min(n, at + 16 + length)].prefix { $0 != 0 }
                body(Watcher.event(watch, mask, name))
                at += 16 + length
            }
        }
    }

    private static func event(_ watch: Int32, _ mask: UInt32, _ name: ArraySlice<UInt8>) -> WatchEvent {
        func has(_ bits: Int32) -> Bool { mask & UInt32(bits) != 0 }
        return WatchEvent(
            watch: watch, name: EscapedPath.text(of: Array(name)),
            isAppeared: has(IN_CREATE | IN_MOVED_TO), isGone: has(IN_DELETE | IN_MOVED_FROM),
            isClosedAfterWrite: has(IN_CLOSE_WRITE), isModified: has(IN_MODIFY),
            isEnded: has(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF), isOverflow: has(IN_Q_OVERFLOW))
    }
}
