// Which descriptor wakes the lane for an input of log files.
import Disk
import NodeFiles

/// Keeps a poller informed of a tailer's inotify instance, which is given up when the system's limits are reached and may come back.
struct PolledWatch {
    private var generation = 0
    private var descriptor: Int32?

    /// Polls the descriptor that tells of changes now. Without one, the input looks each second.
    mutating func update(_ tailer: FileTailer, _ poller: inout Poller) {
        guard generation != tailer.watchGeneration else { return }
        generation = tailer.watchGeneration
        if let descriptor { poller.remove(descriptor) }
        descriptor = tailer.watchDescriptor
        if let descriptor { try? poller.add(descriptor) }
    }
}
