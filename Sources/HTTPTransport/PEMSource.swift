// Where certificates and keys come from.

/// Something in PEM format.
package enum PEMSource: Hashable, Sendable {
    /// A file, by its path; read whenever connections are made anew.
    case file(String)
    /// The text itself.
    case text([UInt8])
}
