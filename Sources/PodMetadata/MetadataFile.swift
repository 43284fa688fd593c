// stub
package struct MetadataFile: Sendable, Equatable {
    package var node: String
    package var pods: [Pod]
    package var namespaces: [String: [Label]]
    package var owners: [String: Owner]
    package init(node: String, pods: [Pod] = [], namespaces: [String: [Label]] = [:], owners: [String: Owner] = [:]) {
        self.node = node
        self.pods = pods
        self.namespaces = namespaces
        self.owners = owners
    }
    package static func read(_ path: String) throws -> MetadataFile? { nil }
    package static func path(inDataDirectory folder: String) -> String { "\(folder)/metadata.json" }
}
