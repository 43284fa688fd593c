// metadata.json: what is known of the node's pods, for the next start, for `sluice tail`, and for whoever looks at it with jq.
package import Disk

/// The contents of `metadata.json`: a Kubernetes `PodList` with members of Sluice's own.
///
/// What Kubernetes has a place for stands there; the rest is in `sluice` of each pod:
///
///     {"kind":"PodList","apiVersion":"v1","metadata":{"node":"a","saved":"2026-01-02T03:04:05.000000000Z"},
///     "namespaces":[{"name":"shop","labels":{"team":"web"}}],
///     "owners":[{"uid":"…","kind":"Deployment","name":"web","owner_uid":"…"}],
///     "items":[
///     {"metadata":{…},"spec":{…},"status":{…},"sluice":{"path_uid":"…","static":true,"deleted_at":"…"}}
///     ]}
package struct MetadataFile: Sendable, Equatable {
    /// The node that the pods are on.
    package var node: String
    /// When it was written, nanoseconds since 1970; 0 where that is not known.
    package var saved: Int64 = 0
    /// In any order, which is kept. `owner` is not in the file: it follows from `controller` and `owners`.
    package var pods: [Pod]
    /// The labels of namespaces by name.
    package var namespaces: [String: [Label]]
    /// What owns the objects with these uids.
    package var owners: [String: Owner]
    /// How many pods, namespaces and owners were found damaged when the file was read, and left out.
    package var damaged = 0

    package init(
        node: String, pods: [Pod] = [], namespaces: [String: [Label]] = [:], owners: [String: Owner] = [:]
    ) {
        self.node = node
        self.pods = pods
        self.namespaces = namespaces
        self.owners = owners
    }

    /// Where the file is.
    package static func path(inDataDirectory folder: String) -> String { "\(folder)/metadata.json" }

    /// No node has as much to tell.
    private static let maximumSize: UInt64 = 256 << 20

    /// Reads the file; nil when there is none. Throws `DiskError` or, when it is not such a file, `ObjectError`.
    package static func read(_ path: String) throws -> MetadataFile? {
        let bytes: [UInt8]
        do throws(DiskError) {
            let file = try OwnedFile.open(path, .read)
            let size = try file.status().size
            // One byte more than there may be tells that there are too many.
            bytes = try file.read(count: Int(min(size, maximumSize + 1)), at: 0)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        guard bytes.count <= maximumSize else { throw ObjectError("the file is larger than 256 MiB") }
        return try decode(bytes.span)
    }

    /// Replaces the file in one step.
    package func write(_ path: String, fileSystem: any FileSystem) throws(DiskError) {
        try fileSystem.replace(path, with: encoded().span)
    }
}
