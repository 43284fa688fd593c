// Which files an output writes, as far as its settings say: so that no two outputs write the same one, and no input reads them.
private import Disk

/// Settings of an output that writes files.
package protocol FileWritingSettings: PluginSettings {
    /// Which; nil when the settings are wrong.
    var written: WrittenFiles? { get }
}

/// The files that an output may ever write: absolute paths of one length, with digits at some places that are filled in later.
package struct WrittenFiles: Sendable, Hashable {
    /// The setting that names them.
    package let setting: String
    /// What each byte of a path may be.
    private let bytes: [ClosedRange<UInt8>]

    /// - Parameters:
    ///   - setting: the setting that names the files.
    ///   - folder: the part of the path before the first place that is filled in later, up to a slash. It need not exist: what does is
    ///     looked at for links, so that one folder under two names is one.
    ///   - rest: what each byte of the rest may be.
    package init(setting: String, folder: String, rest: [ClosedRange<UInt8>]) {
        self.setting = setting
        let folder = WrittenFiles.resolve(folder)
        bytes = (folder == "/" ? folder : folder + "/").utf8.map { $0...$0 } + rest
    }

    /// One file, by a path without anything that is filled in later.
    package init(setting: String, path: String) {
        self.setting = setting
        bytes = WrittenFiles.resolve(path).utf8.map { $0...$0 }
    }

    /// Whether both may write the same file.
    package func meet(_ other: WrittenFiles) -> Bool {
        let (ours, theirs) = (WrittenFiles.withSuccessors(bytes), WrittenFiles.withSuccessors(other.bytes))
        // Of two that have a number behind their names, so have those without.
        return ours.contains { WrittenFiles.overlap($0, other.bytes) }
            || theirs.contains { WrittenFiles.overlap($0, bytes) }
    }

    /// Whether this is one of the files; `path` is an absolute one without links.
    package func contains(_ path: String) -> Bool {
        WrittenFiles.withSuccessors(bytes).contains { WrittenFiles.overlap($0, path.utf8.map { $0...$0 }) }
    }

    /// The path of one of them, to be held against a pattern.
    package var example: String { String(decoding: bytes.map(\.lowerBound), as: UTF8.self) }

    /// The paths, and those with the numbers that files get when they have grown too large: `.0001` and so on.
    private static func withSuccessors(_ bytes: [ClosedRange<UInt8>]) -> [[ClosedRange<UInt8>]] {
        let dot = UInt8(ascii: ".")
        let digit = UInt8(ascii: "0")...UInt8(ascii: "9")
        return [bytes] + (4...6).map { bytes + [dot...dot] + Array(repeating: digit, count: $0) }
    }

    private static func overlap(_ a: [ClosedRange<UInt8>], _ b: [ClosedRange<UInt8>]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.overlaps($1) }
    }

    /// The path from the root on, without `.`, `..`, doubled slashes and links, as far as it exists.
    private static func resolve(_ path: String) -> String {
        let start = path.hasPrefix("/") ? "" : Directory.resolve(".") ?? ""
        let found = path.split(separator: "/").reduce(start == "/" ? "" : start) { above, name in
            switch name {
            case ".": return above
            case "..": return above.isEmpty || Path.parent(above) == "/" ? "" : Path.parent(above)
            default:
                let next = "\(above)/\(name)"
                let real = Directory.resolve(next) ?? next
                return real == "/" ? "" : real
            }
        }
        return found.isEmpty ? "/" : found
    }
}
