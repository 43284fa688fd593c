// What an input is given to show its records' pods.
package import Bytes

/// Where metadata comes from, and how records show it.
package struct MetadataSource: Sendable {
    /// What is known of pods; nil: nobody is asked, and file names are all there is.
    package var directory: PodDirectory?
    /// How long a new log waits for its pod to be known, nanoseconds.
    package var wait: Int64 = 5_000_000_000
    /// Which labels are shown, by their keys; nil for all.
    package var labels: [Glob]?
    /// Which annotations are shown, by their keys.
    package var annotations: [Glob] = []
    /// The labels of namespaces are shown too.
    package var wantsNamespaces = false
    /// How labels and annotations are written.
    package var style = LabelsStyle.nested

    package init(directory: PodDirectory? = nil) { self.directory = directory }

    /// How the records of one input show it.
    /// - Parameters:
    ///   - node: the node's name.
    ///   - staticFields: `,"name":value` for each of the configuration's `fields`.
    package func format(node: String, staticFields: [UInt8]) -> MetadataFormat {
        var format = MetadataFormat(node: node, staticFields: staticFields)
        format.labels = labels
        format.annotations = annotations
        format.style = style
        return format
    }
}
