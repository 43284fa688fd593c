// The annotations by which a pod says how its logs are to be read.

/// The annotations that Sluice itself heeds.
package enum PodAnnotations {
    private static let names = [
        "sluice.dev/exclude", "sluice.dev/parser", "sluice.dev/multiline", "fluentbit.io/exclude",
        "fluentbit.io/parser",
    ]

    /// Whether an annotation is one of them, for all containers or, with a suffix, for one of them or for one stream:
    /// `sluice.dev/exclude`, `sluice.dev/exclude.web`, `fluentbit.io/parser_stdout-web`.
    package static func areRead(_ key: String) -> Bool {
        names.contains { name in
            guard key.hasPrefix(name) else { return false }
            guard let next = key.utf8.dropFirst(name.utf8.count).first else { return true }
            return next == UInt8(ascii: ".") || next == UInt8(ascii: "-") || next == UInt8(ascii: "_")
        }
    }
}
