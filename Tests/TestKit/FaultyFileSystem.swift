// A disk that fails on demand: the n-th call, the space, the sync, the process, the power.
package import Disk
private import Synchronization

/// The local file system with faults that a test chooses.
///
/// Every call but `freeSpace` is counted, from 1. Nothing is really synced: instead it is noted what a power cut would take
/// back, which is every write, cut, creation, removal and renaming since the file's or the folder's last sync.
package final class FaultyFileSystem: FileSystem {
    /// What a call does to the disk.
    package enum Operation: String, CaseIterable, Sendable {
        case open, write, allocate, truncate, sync, syncFolder, rename, remove, makeFolder
    }

    /// What goes wrong at a call.
    package enum Fault: Sendable {
        /// The call fails with this errno and does nothing.
        case error(Int32)
        /// A write takes half of its bytes, and succeeds.
        case shortWrite
        /// A write takes half of its bytes; the call behind it fails with this errno. Other calls just fail.
        case halfWrite(Int32)
        /// The process dies before the call: it and all later ones do nothing and fail.
        case crash
        /// The process dies in the call: of a write, half has been done.
        case crashHalfway
    }

    private struct State {
        var calls = 0
        var log: [String] = []
        var planned: [Int: Fault] = [:]
        /// Errno by operation, for paths with this ending, until it is healed; so many of these calls still succeed.
        var broken: [Operation: (code: Int32, ending: String, good: Int)] = [:]
        /// Errno for operations behind a call, until something is so.
        var failing: (operations: Set<Operation>, code: Int32, after: Int, isOver: @Sendable () -> Bool)?
        var isCrashed = false
        var nextWriteError: Int32?
        var freeSpace: [UInt64] = []
        /// What a power cut would undo in a file's contents, oldest first.
        var contents: [String: [ContentChange]] = [:]
        /// What a power cut would undo in folders, oldest first.
        var names: [NameChange] = []
    }

    /// Bytes that were there before a write or a cut.
    private struct ContentChange {
        let offset: UInt64
        let old: [UInt8]
        let oldSize: UInt64
    }

    private enum NameChange {
        case created(String)
        case removed(String, [UInt8])
        case renamed(String, to: String, replaced: [UInt8]?)

        var folder: String {
            switch self {
            case .created(let path), .removed(let path, _), .renamed(_, to: let path, _): Path.parent(path)
            }
        }
    }

    private let local = LocalFileSystem()
    private let state = Mutex(State())

    package init() {}

    // MARK: What tests ask for

    /// Calls so far.
    package var calls: Int { state.withLock { $0.calls } }
    /// The calls so far, for the message of a failed test.
    package var log: [String] { state.withLock { $0.log } }
    package var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// Lets the `number`-th call (from the first one ever) go wrong.
    package func plan(_ fault: Fault, atCall number: Int) { state.withLock { $0.planned[number] = fault } }

    /// Lets the call after `calls` more go wrong.
    package func plan(_ fault: Fault, afterCalls calls: Int) {
        state.withLock { $0.planned[$0.calls + calls + 1] = fault }
    }

    /// Lets every call of these kinds, on paths with this ending, fail until `heal()`, after the first `good` of each kind.
    package func breakDown(
        _ operations: Set<Operation>, on ending: String = "", with code: Int32, afterCalls good: Int = 0
    ) {
        state.withLock { state in for operation in operations { state.broken[operation] = (code, ending, good) } }
    }

    /// Lets calls of these kinds fail after `calls` more calls of any kind, until `heal()` or until something is so.
    package func fail(
        _ operations: Set<Operation>, with code: Int32, afterCalls calls: Int,
        until isOver: @escaping @Sendable () -> Bool = { false }
    ) {
        state.withLock { $0.failing = (operations, code, $0.calls + calls, isOver) }
    }

    /// A full disk: nothing can be created or written.
    package func fillUp(with code: Int32) { breakDown([.open, .write, .allocate, .makeFolder], with: code) }

    /// Forgets all faults that were asked for.
    package func heal() {
        state.withLock { state in
            state.planned = [:]
            state.broken = [:]
            state.failing = nil
            state.nextWriteError = nil
            state.freeSpace = []
        }
    }

    /// The process dies now.
    package func crash() { state.withLock { $0.isCrashed = true } }

    /// The process is started again. What it had not synced is still at risk.
    package func restart() {
        heal()
        state.withLock { $0.isCrashed = false }
    }

    /// What `freeSpace` answers: one after the other, the last one for ever; none: the truth.
    package func answerFreeSpace(_ answers: [UInt64]) { state.withLock { $0.freeSpace = answers } }

    /// The power fails: what was not synced is lost, except that of each file, and of the names, the first changes may have
    /// reached the disk. `keep` says how many of so many changes did.
    package func powerCut(keeping keep: (Int) -> Int = { _ in 0 }) throws(DiskError) {
        var (contents, names) = state.withLock { state in
            defer {
                state.contents = [:]
                state.names = []
                state.isCrashed = true
            }
            return (state.contents, state.names)
        }
        let keptNames = keep(names.count)
        for change in names[keptNames...].reversed() {
            switch change {
            case .created(let path):
                try local.remove(path)
                contents[path] = nil
            case .removed(let path, let bytes): try rewrite(path, bytes)
            case .renamed(let from, let to, let replaced):
                try local.rename(to, to: from)
                contents[from] = contents.removeValue(forKey: to)
                if let replaced { try rewrite(to, replaced) }
            }
        }
        for (path, changes) in contents.sorted(by: { $0.key < $1.key }) where Directory.status(path) != nil {
            let file = try local.open(path, .update)
            for change in changes[keep(changes.count)...].reversed() {
                try local.write(change.old.span, to: file, at: change.offset)
                try local.truncate(file, to: change.oldSize)
            }
        }
    }

    private func rewrite(_ path: String, _ bytes: [UInt8]) throws(DiskError) {
        let file = try local.open(path, .create)
        try local.truncate(file, to: 0)
        try local.write(bytes.span, to: file, at: 0)
    }

    // MARK: Faults

    /// What is to happen at a call: nothing unusual, or half of a write.
    private enum Verdict { case whole, half, halfThenDead }

    private func admit(_ operation: Operation, _ path: String) throws(DiskError) -> Verdict {
        let outcome: Result<Verdict, DiskError> = state.withLock { state in
            state.calls += 1
            state.log.append("\(state.calls) \(operation) \(Path.name(path))")
            func failure(_ code: Int32) -> Result<Verdict, DiskError> {
                .failure(DiskError(operation.rawValue, path, code: code))
            }
            if state.isCrashed { return failure(FaultyFileSystem.dead) }
            if operation == .write, let code = state.nextWriteError {
                state.nextWriteError = nil
                return failure(code)
            }
            if let failing = state.failing, state.calls > failing.after, failing.operations.contains(operation),
                !failing.isOver()
            {
                return failure(failing.code)
            }
            if let broken = state.broken[operation], path.hasSuffix(broken.ending) {
                guard broken.good > 0 else { return failure(broken.code) }
                state.broken[operation]?.good -= 1
            }
            switch state.planned.removeValue(forKey: state.calls) {
            case nil: return .success(.whole)
            case .error(let code): return failure(code)
            case .shortWrite: return .success(.half)
            case .halfWrite(let code):
                guard operation == .write else { return failure(code) }
                state.nextWriteError = code
                return .success(.half)
            case .crash:
                state.isCrashed = true
                return failure(FaultyFileSystem.dead)
            case .crashHalfway:
                state.isCrashed = true
                return operation == .write ? .success(.halfThenDead) : failure(FaultyFileSystem.dead)
            }
        }
        return try outcome.get()
    }

    /// "Input/output error": what calls answer when the process should be dead.
    private static let dead: Int32 = 5

    private func note(_ change: NameChange) { state.withLock { $0.names.append(change) } }

    private func note(_ change: ContentChange, _ path: String) {
        state.withLock { $0.contents[path, default: []].append(change) }
    }

    // MARK: The calls

    package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> OwnedFile {
        _ = try admit(.open, path)
        let isNew = Directory.status(path) == nil
        let file = try local.open(path, mode)
        if isNew { note(.created(path)) }
        return file
    }

    package func writeOnce(
        _ bytes: Span<UInt8>, to file: borrowing OwnedFile, at offset: UInt64
    ) throws(DiskError) -> Int {
        let verdict = try admit(.write, file.path)
        let part = verdict == .whole ? bytes : bytes.extracting(first: bytes.count / 2)
        let size = try file.status().size
        let overlap = Int(min(UInt64(part.count), size - min(size, offset)))
        note(
            ContentChange(
                offset: offset, old: overlap > 0 ? try file.read(count: overlap, at: offset) : [], oldSize: size),
            file.path)
        let written = part.isEmpty ? 0 : try local.writeOnce(part, to: file, at: offset)
        if verdict == .halfThenDead { throw DiskError("write", file.path, code: FaultyFileSystem.dead) }
        return written
    }

    package func allocate(_ size: UInt64, of file: borrowing OwnedFile) throws(DiskError) {
        _ = try admit(.allocate, file.path)
        let oldSize = try file.status().size
        if oldSize < size { note(ContentChange(offset: oldSize, old: [], oldSize: oldSize), file.path) }
        try local.allocate(size, of: file)
    }

    package func truncate(_ file: borrowing OwnedFile, to size: UInt64) throws(DiskError) {
        _ = try admit(.truncate, file.path)
        let oldSize = try file.status().size
        let old = size < oldSize ? try file.read(count: Int(oldSize - size), at: size) : []
        note(ContentChange(offset: size, old: old, oldSize: oldSize), file.path)
        try local.truncate(file, to: size)
    }

    package func sync(_ file: borrowing OwnedFile) throws(DiskError) {
        _ = try admit(.sync, file.path)
        let path = file.path
        state.withLock { $0.contents[path] = nil }
    }

    package func syncFolder(_ path: String) throws(DiskError) {
        _ = try admit(.syncFolder, path)
        state.withLock { state in state.names.removeAll { $0.folder == path } }
    }

    package func rename(_ from: String, to: String) throws(DiskError) {
        _ = try admit(.rename, to)
        let replaced = Directory.status(to) == nil ? nil : try ScratchDirectory.contents(of: to)
        try local.rename(from, to: to)
        state.withLock { $0.contents[to] = $0.contents.removeValue(forKey: from) }
        note(.renamed(from, to: to, replaced: replaced))
    }

    package func remove(_ path: String) throws(DiskError) {
        _ = try admit(.remove, path)
        guard Directory.status(path) != nil else { return }
        let contents = try ScratchDirectory.contents(of: path)
        try local.remove(path)
        state.withLock { $0.contents[path] = nil }
        note(.removed(path, contents))
    }

    /// Folders are durable once they are made, as with `LocalFileSystem`.
    package func makeFolder(_ path: String) throws(DiskError) {
        _ = try admit(.makeFolder, path)
        try local.makeFolder(path)
    }

    package func freeSpace(_ path: String) throws(DiskError) -> UInt64 {
        let answer: UInt64? = state.withLock { state in
            if state.freeSpace.count > 1 { return state.freeSpace.removeFirst() }
            return state.freeSpace.first
        }
        if let answer { return answer }
        return try local.freeSpace(path)
    }
}
