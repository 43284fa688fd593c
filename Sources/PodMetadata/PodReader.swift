// Reads pods, and what else a Kubernetes API answers with, from their JSON.

/// Why bytes are not the object that was expected.
package struct ObjectError: Error, CustomStringConvertible, Equatable {
    /// As a sentence without a full stop, for an operator.
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Reads the parts of pods that are wanted. What a pod has besides costs no memory.
package struct PodReader: Sendable {
    private let keepsAnnotation: @Sendable (String) -> Bool

    /// - Parameter keepsAnnotation: which annotations are wanted, beside those that Sluice itself reads
    ///   (`PodAnnotations.areRead`).
    package init(keepsAnnotation: @escaping @Sendable (String) -> Bool) { self.keepsAnnotation = keepsAnnotation }
}
