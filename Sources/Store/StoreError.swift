// What can keep a store from being opened or written.
package import Disk

/// Why a store cannot be used.
package enum StoreError: Error, CustomStringConvertible {
    case disk(DiskError)
    case locked(FolderLock.Failure)
    /// The identity file is damaged in both slots.
    case damagedIdentity(path: String)
    /// Written by a later version.
    case unknownVersion(path: String)
    /// There is nothing at this path.
    case noStore(path: String)

    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .locked(let failure): failure.description
        case .damagedIdentity(let path):
            "\(path) is damaged: both of its slots. The next start of the agent makes it again from the segments and the cursors"
        case .unknownVersion(let path): "\(path) was written by a later version of sluice; use that one"
        case .noStore(let path): "there is no store in \(path): no agent has run with this data directory (--data-dir)"
        }
    }
}
