// Writes container logs on real files as containerd and the kubelet do (docs/tailing.md says what that is), and keeps the
// truth: every line, by container, restart and stream. Each step of a rotation can be taken alone.
import Disk
import Foundation
import Gzip
package import Records

/// A line as a container wrote it.
package struct TrueLine: Equatable, Sendable {
    package var message: [UInt8]
    /// The time of the piece that ended it, or of its first piece when its end never came.
    package var time: Int64
    package var hasEnd: Bool
}

/// One stream of one life of a container; stream `.none` has the lines that are not in the runtime's format.
package struct TrueStream: Hashable, Sendable, CustomStringConvertible {
    package let log: String
    package let stream: RecordStream

    package init(log: String, stream: RecordStream) {
        self.log = log
        self.stream = stream
    }

    package var description: String { "\(log) \(stream)" }
}

/// A log file as the emulator knows it.
package final class EmulatedFile {
    package fileprivate(set) var name: String
    package let restart: Int32
    /// Everything that was ever written to it.
    package fileprivate(set) var bytes: [UInt8] = []
    package fileprivate(set) var isRotated = false
    package fileprivate(set) var isCompressed = false
    /// The runtime has it open.
    package var isOpen: Bool { file != nil }
    /// Pieces of a line that has no end yet lie in it.
    package fileprivate(set) var hasUnfinished = false
    fileprivate var file: OwnedFile?

    fileprivate init(name: String, restart: Int32, file: consuming OwnedFile) {
        self.name = name
        self.restart = restart
        self.file = consume file
    }
}

/// One container and its log folder.
package final class EmulatedContainer {
    package let namespace: String
    package let pod: String
    package let uid: String
    package let name: String
    /// `<pods>/<namespace>_<pod>_<uid>/<name>`
    package let folder: String
    package private(set) var restart: Int32 = 0
    /// The files that exist, oldest first.
    package private(set) var files: [EmulatedFile] = []
    package private(set) var isRunning = false

    private let node: KubeletEmulator
    private var current: EmulatedFile?
    /// Lines without their end, by stream.
    private var pending: [RecordStream: TrueLine] = [:]
    /// The last bytes of a line that is being written.
    private var torn: [UInt8] = []

    fileprivate init(_ node: KubeletEmulator, namespace: String, pod: String, uid: String, name: String) throws {
        self.node = node
        self.namespace = namespace
        self.pod = pod
        self.uid = uid
        self.name = name
        folder = "\(node.pods)/\(namespace)_\(pod)_\(uid)/\(name)"
        try LocalFileSystem().makeFolder(folder)
        try start()
    }

    /// How a restart of it is called in the truth: `<namespace>/<pod>/<uid>/<name>/<restart>`.
    package func log(_ restart: Int32) -> String { "\(namespace)/\(pod)/\(uid)/\(name)/\(restart)" }

    /// Files that were rotated and not compressed, oldest first.
    package var rotatedPlain: [EmulatedFile] { files.filter { $0.isRotated && !$0.isCompressed } }

    /// Renamed, and the runtime does not know yet.
    package var isBetweenRenameAndReopen: Bool { current?.isRotated ?? false }

    // MARK: Writing

    /// Writes a line, or with `ends: false` its beginning.
    package func write(_ message: [UInt8], to stream: RecordStream, ends: Bool = true) throws {
        let time = node.tick()
        var line = pending[stream] ?? TrueLine(message: [], time: time, hasEnd: false)
        line.message += message
        if ends {
            line.time = time
            line.hasEnd = true
            pending[stream] = nil
            node.note(line, log(restart), stream)
        } else {
            pending[stream] = line
        }
        try append(LogWriter.pieces(of: message, stream, at: time, ends: ends))
        current?.hasUnfinished = true
        noteFinished()
    }

    /// Once every line has its end, no file is needed for another one's sake.
    private func noteFinished() {
        guard pending.isEmpty, torn.isEmpty else { return }
        for file in files where file.restart == restart { file.hasUnfinished = false }
    }

    /// Writes a line that is not in the runtime's format.
    package func writeMalformed(_ line: [UInt8]) throws {
        node.note(TrueLine(message: line, time: 0, hasEnd: true), log(restart), .none)
        try append(line + [10])
    }

    /// Writes bytes as they are, such as a disk without power leaves them; the truth says nothing of them.
    package func writeRaw(_ bytes: [UInt8]) throws { try append(bytes) }

    /// The file that is being written, by its present name.
    package var path: String { "\(folder)/\(current?.name ?? "")" }

    /// The next write stops `count` bytes before its end; the rest comes with whatever is done next.
    package var tearsNext = 0

    private func append(_ bytes: [UInt8]) throws {
        try mend()
        guard let current else { return }
        let cut = max(1, bytes.count - tearsNext)
        tearsNext = 0
        torn = Array(bytes[cut...])
        try put(Array(bytes[..<cut]), current)
    }

    /// Writes what is left of a torn line.
    package func mend() throws {
        guard !torn.isEmpty, let current else { return }
        let rest = torn
        torn = []
        try put(rest, current)
        noteFinished()
    }

    private func put(_ bytes: [UInt8], _ file: EmulatedFile) throws {
        try file.file?.write(bytes.span, at: UInt64(file.bytes.count))
        file.bytes += bytes
        node.bytesWritten += UInt64(bytes.count)
    }

    // MARK: Rotation, in the order of one pass of the kubelet

    /// Deletes a file.
    package func remove(_ file: EmulatedFile) throws {
        try LocalFileSystem().remove("\(folder)/\(file.name)")
        files.removeAll { $0 === file }
    }

    /// First step of a compression: the copy is written under its temporary name.
    package func beginCompression(of file: EmulatedFile) throws {
        try mend()
        try node.write(KubeletEmulator.gzip(file.bytes), to: "\(folder)/\(file.name).tmp")
    }

    /// Second step: the copy gets its name, and both exist.
    package func nameCompressed(_ file: EmulatedFile) throws {
        try LocalFileSystem().rename("\(folder)/\(file.name).tmp", to: "\(folder)/\(file.name).gz")
    }

    /// Last step: the original goes.
    package func endCompression(of file: EmulatedFile) throws {
        try LocalFileSystem().remove("\(folder)/\(file.name)")
        file.name += ".gz"
        file.isCompressed = true
    }

    package func compress(_ file: EmulatedFile) throws {
        try beginCompression(of: file)
        try nameCompressed(file)
        try endCompression(of: file)
    }

    /// Renames the log; its runtime goes on writing to it until `reopen`.
    package func rename() throws {
        try mend()
        guard let current, !current.isRotated else { return }
        let name = "\(restart).log.\(node.stamp())"
        try LocalFileSystem().rename("\(folder)/\(current.name)", to: "\(folder)/\(name)")
        current.name = name
        current.isRotated = true
    }

    /// The runtime creates the new log, then closes the old one.
    package func reopen() throws {
        try mend()
        guard let old = current, old.isRotated else { return }
        try create()
        old.file = nil
    }

    /// A whole pass: compress what was rotated before, rename, reopen.
    package func rotate() throws {
        for file in rotatedPlain where !file.isOpen { try compress(file) }
        try rename()
        try reopen()
    }

    // MARK: Life

    private func create() throws {
        let name = "\(restart).log"
        let file = EmulatedFile(
            name: name, restart: restart, file: try OwnedFile.open("\(folder)/\(name)", .createNew))
        files.append(file)
        current = file
    }

    private func start() throws {
        isRunning = true
        try create()
        if node.linksAtOnce { try link() }
    }

    /// The kubelet makes the link with the container's id, a little after the log.
    package func link() throws {
        let path = "\(node.links)/\(pod)_\(namespace)_\(name)-\(containerID).log"
        try? LocalFileSystem().remove(path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(folder)/\(restart).log")
    }

    /// The id of the container's present life.
    package var containerID: String {
        let digits = String(UInt64(truncatingIfNeeded: log(restart).utf8.reduce(7) { $0 &* 31 &+ Int($1) }), radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    /// The container ends: what has no end by now never gets one.
    package func stop() throws {
        guard isRunning else { return }
        try mend()
        isRunning = false
        current?.file = nil
        current = nil
        for (stream, line) in pending { node.note(line, log(restart), stream) }
        pending = [:]
        noteFinished()
    }

    /// The container ends and begins anew, with another log.
    package func startAgain() throws {
        try stop()
        restart += 1
        try start()
    }

    /// The pod is deleted: files, links and folders go.
    package func delete() throws {
        try stop()
        for file in files { try remove(file) }
        for entry in try Directory.list(node.links) where entry.name.hasPrefix("\(pod)_\(namespace)_\(name)-") {
            try LocalFileSystem().remove("\(node.links)/\(entry.name)")
        }
        try FileManager.default.removeItem(atPath: Path.parent(folder))
    }
}

/// A node's folders of logs.
package final class KubeletEmulator {
    package let pods: String
    package let links: String
    /// Links come with the logs; otherwise when `link` is called.
    package var linksAtOnce = true
    /// All that was written, of each stream in order.
    package private(set) var truth: [TrueStream: [TrueLine]] = [:]
    package fileprivate(set) var bytesWritten: UInt64 = 0

    /// Nanoseconds since 1970; it goes on by itself.
    package var now: Int64 = 1_795_404_847_000_000_000
    private var rotations = 0
    /// How the next rotated files are called; by default times that grow.
    package var stamps: [String] = []

    package init(root: String) throws {
        pods = "\(root)/pods"
        links = "\(root)/containers"
        try LocalFileSystem().makeFolder(pods)
        try LocalFileSystem().makeFolder(links)
    }

    /// Starts a container in a pod of its own.
    package func start(
        namespace: String = "shop", pod: String, uid: String = "9bcef0f6-9bf5-4076", name: String = "app"
    ) throws -> EmulatedContainer {
        try EmulatedContainer(self, namespace: namespace, pod: pod, uid: uid, name: name)
    }

    fileprivate func tick() -> Int64 {
        // Fractions of all lengths, as Go leaves out trailing zeros.
        now += [1, 10, 1_000, 100_000, 700_000_000][Int(now / 7 % 5)]
        return now
    }

    fileprivate func stamp() -> String {
        if !stamps.isEmpty { return stamps.removeFirst() }
        rotations += 1
        let text = String(1_000_000 + rotations).dropFirst()
        return "20261123-\(text)"
    }

    fileprivate func note(_ line: TrueLine, _ log: String, _ stream: RecordStream) {
        truth[TrueStream(log: log, stream: stream), default: []].append(line)
    }

    package func write(_ bytes: [UInt8], to path: String) throws {
        let file = try OwnedFile.open(path, .create)
        try file.truncate(to: 0)
        try file.write(bytes.span, at: 0)
    }

    /// One gzip member with its length at the end, as the kubelet's.
    package static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var deflater = Deflater()
        var body = [UInt8](repeating: 0, count: Deflater.bound(bytes.count))
        var room = body.mutableSpan
        let count = deflater.compress(bytes.span, into: &room)
        var member = GzipMember.plainHeader + body[..<count]
        for value in [CRC32.of(bytes.span), UInt32(truncatingIfNeeded: bytes.count)] {
            for shift in [0, 8, 16, 24] { member.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
        }
        return member
    }
}
