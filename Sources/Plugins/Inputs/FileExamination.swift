// What an operator should hear before any text file is read: patterns that match nothing, and what is there instead.
import Disk
import Pipeline

/// A look at the files that patterns match here and now.
struct FileExamination {
    /// Whether any file would be read.
    private(set) var hasFiles = false
    /// Why a pattern leads to no file that can be read, each as a sentence.
    private(set) var findings: [String] = []
    /// Which patterns depend on where the agent is started.
    let relative: [String]

    private struct Matches {
        var isRead = false
        var excluded = 0
        var unreadable: String?
    }

    private let include: [PathGlob]
    private let exclude: [PathGlob]
    private var matches: [Matches]

    /// No tree is looked through further than this.
    private static let mostEntries = 200_000
    private var entriesLeft = FileExamination.mostEntries

    init(_ include: [PathGlob], _ exclude: [PathGlob]) {
        self.include = include
        self.exclude = exclude
        matches = include.map { _ in Matches() }
        relative = include.compactMap { FoundNames.relative($0.pattern) }
        for folder in Set(include.map(\.folder)).sorted() { descend(folder) }
        hasFiles = matches.contains { $0.isRead }
        // Nothing can be said about what was not looked at.
        if entriesLeft > 0 { findings = include.indices.compactMap(finding) }
    }

    /// Looks through a folder, until each pattern has a file.
    private mutating func descend(_ folder: String) {
        guard matches.contains(where: { !$0.isRead }), let entries = try? Directory.list(folder) else { return }
        for entry in entries {
            entriesLeft -= 1
            guard entriesLeft > 0 else { return }
            let path = folder == "/" ? "/\(entry.name)" : folder == "." ? entry.name : "\(folder)/\(entry.name)"
            guard let status = Directory.status(path) else { continue }
            if status.kind == .regular {
                take(path)
            } else if status.kind == .directory, entry.kind != .link,
                include.contains(where: { $0.mayMatch(below: path) })
            {
                descend(path)
            }
        }
    }

    private mutating func take(_ path: String) {
        for index in include.indices where !matches[index].isRead && include[index].matches(path) {
            if exclude.contains(where: { $0.matches(path) }) {
                matches[index].excluded += 1
                continue
            }
            do throws(DiskError) {
                _ = try OwnedFile.open(path, .read, nonBlocking: true)
                matches[index].isRead = true
            } catch {
                matches[index].unreadable = error.description
            }
        }
    }

    private func finding(_ index: Int) -> String? {
        let (pattern, found) = (include[index], matches[index])
        if found.isRead { return nil }
        if let reason = found.unreadable { return "no file that matches '\(pattern)' can be read: \(reason)" }
        if found.excluded > 0 { return "all files that match '\(pattern)' are left out by 'exclude'" }
        if let path = pattern.literal {
            switch Directory.status(path)?.kind {
            case .directory: return "\(path) is a folder: write \(path)/* for its files"
            case .other: return "\(path) is no regular file, and no other kind is read"
            default: break
            }
            let nearest = FoundNames.nearestFolder(path)
            let meant = absolute(path) ?? FoundNames.similar(path, in: nearest)
            return "there is no file \(path)\(FoundNames.question(meant)); \(FoundNames.words(nearest))"
        }
        if let fault = FoundNames.faultOfFolder(pattern.folder) { return "no file matches '\(pattern)': \(fault)" }
        return "no file matches '\(pattern)': \(FoundNames.words(pattern.folder))"
    }

    /// The path with the slash that was forgotten before it, where that exists.
    private func absolute(_ path: String) -> String? {
        path.hasPrefix("/") || Directory.status("/" + path) == nil ? nil : "/" + path
    }
}
