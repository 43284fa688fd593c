// What there is in place of what is not: for messages about paths that lead nowhere.
import Bytes
import Disk
import Pipeline

/// The names in a folder, in words.
enum FoundNames {
    private static let mostShown = 12

    /// "in /var/log there are a.log, b.log and 3 more".
    static func words(_ folder: String) -> String {
        let names: [String]
        do throws(DiskError) {
            names = try Directory.list(folder).map(\.name).sorted()
        } catch {
            return error.description
        }
        guard let first = names.first else { return "\(folder) is empty" }
        guard names.count > 1 else { return "in \(folder) there is \(first) alone" }
        let more = names.count > mostShown ? " and \(names.count - mostShown) more" : ""
        return "in \(folder) there are \(names.prefix(mostShown).joined(separator: ", "))\(more)"
    }

    /// Why a folder cannot be read, and what is there instead; nil when it can.
    static func faultOfFolder(_ path: String) -> String? {
        guard let status = Directory.status(path) else {
            let nearest = nearestFolder(path)
            let meant = Directory.status("/" + path)?.kind == .directory && !path.hasPrefix("/") ? "/" + path : nil
            return "there is no folder \(path)\(question(meant ?? similar(path, in: nearest))); \(words(nearest))"
        }
        guard status.kind == .directory else { return "\(path) is no folder" }
        do throws(DiskError) {
            _ = try Directory.list(path)
            return nil
        } catch {
            return error.description
        }
    }

    /// What is to be said of a path that depends on where the agent is started; nil of others.
    static func relative(_ path: String) -> String? {
        guard !path.hasPrefix("/") else { return nil }
        return "'\(path)' is relative: it depends on the folder in which the agent is started, and leads to "
            + "\(Directory.resolve(".") ?? ".")/\(path) here"
    }

    /// The nearest folder above a path that exists.
    static func nearestFolder(_ path: String) -> String {
        var folder = Path.parent(path)
        while folder != "/" && folder != ".", Directory.status(folder)?.kind != .directory {
            folder = Path.parent(folder)
        }
        return folder
    }

    /// A name in `folder` that is nearly the one which `path` has there.
    static func similar(_ path: String, in folder: String) -> String? {
        let prefix = folder.hasSuffix("/") ? folder : folder == "." ? "" : folder + "/"
        guard path.hasPrefix(prefix) else { return nil }
        let wanted = path.dropFirst(prefix.count).prefix { $0 != "/" }
        let names = ((try? Directory.list(folder)) ?? []).map(\.name)
        guard let meant = Suggestions.closest(to: String(wanted), among: names) else { return nil }
        return prefix + meant + path.dropFirst(prefix.count + wanted.count)
    }

    /// ", did you mean ...?", or nothing.
    static func question(_ meant: String?) -> String { meant.map { ", did you mean \($0)?" } ?? "" }
}
