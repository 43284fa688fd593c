// Parser `klog`: the log lines of Kubernetes' own components, `E1123 03:28:02.913293   16167 kubelet.go:2243] message`.
package import Pipeline
package import Records

/// Takes klog lines apart: severity, `caller`, the message without its header, and the pairs of structured ones under `klog`.
package struct KlogParser: Parser {
    package static let name = "klog"

    /// There is nothing to set: a line is klog's by its header, or it is not.
    package struct Settings: PluginSettings {
        package init(from fields: inout Fields) {}
    }

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {}

    package func parse(_ batch: inout RecordBatch) { batch.parseKlog() }
}
