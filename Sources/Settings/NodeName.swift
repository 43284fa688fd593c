// The node's name in records, and in questions to the API server.
import Disk

/// What the node is called.
package struct NodeName: Sendable {
    package let text: String
    /// Somebody said it; else it is the host's.
    package let isGiven: Bool

    /// - Parameter setting: `agent.node`.
    package init(
        _ setting: String?, environment: (String) -> String? = Machine.environment, host: String = Machine.hostName
    ) {
        let given = [setting, environment("NODE_NAME")].compactMap { $0.map(NodeName.trimmed) }.first { !$0.isEmpty }
        isGiven = given != nil
        // As the kubelet does when it registers a node by its host's name: names in Kubernetes have no capitals.
        text = given ?? NodeName.trimmed(host).lowercased()
    }

    /// Without the blanks and newlines that come from files and templates.
    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(
            start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex))
    }
}
