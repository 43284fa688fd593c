// `--unit`: which units' entries are asked for.
private import Bytes

/// A unit's name or a glob; `kubelet` means `kubelet.service`, as for `journalctl -u`.
package struct UnitPattern: Sendable, Hashable {
    private let glob: Glob
    private static let suffixes = [
        ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice",
        ".scope",
    ]

    /// Reads a name or a glob.
    package init(_ text: String) throws(QueryError) {
        do throws(GlobError) {
            let glob = try Glob(text)
            let isWhole = !glob.isLiteral || UnitPattern.suffixes.contains { text.hasSuffix($0) }
            self.glob = isWhole ? glob : try Glob(text + ".service")
        } catch {
            throw QueryError("the unit '\(text)' \(error.predicate)", hint: error.hint)
        }
    }

    /// Whether a unit of this name is asked for.
    package func matches(_ unit: Span<UInt8>) -> Bool { glob.matches(unit) }
}
