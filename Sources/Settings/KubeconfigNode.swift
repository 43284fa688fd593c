// The parts of a kubeconfig, for reading: empty texts are as good as nothing, unknown keys are left alone, and what is wrong
// is thrown without a word of the file in it.
private import Foundation
import Pipeline

/// One value of a kubeconfig, and where it stands.
struct KubeconfigNode {
    /// A text of a kubeconfig, and where it stands.
    struct Text {
        let text: String
        let node: KubeconfigNode
    }

    private let node: SettingsNode
    private let path: String
    private let file: String

    init(_ node: SettingsNode, path: String, file: String) {
        self.node = node
        self.path = path
        self.file = file
    }

    func fault(_ message: String, hint: String? = nil) -> KubeconfigError {
        KubeconfigError(file: file, mark: node.mark, path: path, message, hint: hint)
    }

    var isMapping: Bool {
        if case .mapping = node.content { true } else { false }
    }

    /// Nothing that anybody could mean something with.
    var isEmpty: Bool {
        switch node.content {
        case .null: true
        case .scalar(let scalar): scalar.text.isEmpty
        case .list(let items): items.isEmpty
        case .mapping(let entries): entries.isEmpty
        case .unusable: false
        }
    }

    /// The value of a key; nil when there is none.
    func child(_ key: String) -> KubeconfigNode? {
        guard case .mapping(let entries) = node.content, let entry = entries.first(where: { $0.key == key }) else {
            return nil
        }
        if case .null = entry.value.content { return nil }
        return KubeconfigNode(entry.value, path: path.isEmpty ? key : "\(path).\(key)", file: file)
    }

    /// The text at a key; nil when there is none, or an empty one.
    func text(_ key: String) throws(KubeconfigError) -> Text? {
        guard let child = child(key) else { return nil }
        guard case .scalar(let scalar) = child.node.content else {
            throw child.fault("expected a text, found \(child.node.inWords)")
        }
        return scalar.text.isEmpty ? nil : Text(text: scalar.text, node: child)
    }

    /// The items of the list at a key, each a mapping; nil when there are none.
    func items(_ key: String) throws(KubeconfigError) -> [KubeconfigNode]? {
        guard let list = child(key) else { return nil }
        guard case .list(let items) = list.node.content else {
            throw list.fault("expected a list, each item of which begins with '- '")
        }
        var nodes: [KubeconfigNode] = []
        for (index, item) in items.enumerated() {
            let node = KubeconfigNode(item, path: "\(list.path)[\(index)]", file: file)
            guard node.isMapping else { throw node.fault("expected lines 'key: value'") }
            nodes.append(node)
        }
        return nodes
    }

    /// The names of the items of a list, as far as they have any.
    func names(in list: String) -> [String] {
        ((try? items(list)) ?? []).compactMap { (try? $0.text("name"))?.text }
    }
}

/// Base64 as kubeconfigs have it: RFC 4648 with padding, line breaks anywhere.
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let wanted = text.utf8.filter { $0 != 0x0A && $0 != 0x0D && $0 != 0x20 && $0 != 0x09 }
        return Data(base64Encoded: Data(wanted)).map(Array.init)
    }
}
