// Whether something could be written somewhere, found out without writing anything.
private import CLinux
private import Glibc

/// A look at a place that is to be written to.
package enum WritableFolder {
    /// Why a folder cannot be made and written to, as a sentence; nil when it can. access(2)
    package static func fault(_ path: String) -> String? {
        var folder = path
        while true {
            if let status = Directory.status(folder) {
                guard status.kind == .directory else {
                    return folder == path
                        ? "\(path) is no folder" : "the folder \(path) cannot be made: \(folder) is no folder"
                }
                guard unsafe access(folder, W_OK | X_OK) != 0 else { return nil }
                let reason = DiskError("write to", folder).description
                return folder == path ? reason : "the folder \(path) cannot be made: \(reason)"
            }
            // A link that leads nowhere cannot be made a folder.
            if Directory.linkStatus(folder) != nil {
                return "the folder \(path) cannot be made: \(folder) leads nowhere"
            }
            if folder == "/" || folder == "." { return nil }
            folder = Path.parent(folder)
        }
    }

    /// Why a file cannot be made or written to, as a sentence; nil when it can. access(2)
    package static func fault(ofFile path: String) -> String? {
        guard let status = Directory.status(path) else { return fault(Path.parent(path)) }
        switch status.kind {
        case .directory: return "\(path) is a folder"
        case .regular: return unsafe access(path, R_OK | W_OK) == 0 ? nil : DiskError("write to", path).description
        case .link, .other: return "\(path) is no regular file"
        }
    }
}
