// What can be wrong with compressed bytes.

/// Bytes that are not what a gzip reader expects.
package enum GzipError: Error, Equatable, CustomStringConvertible {
    /// Not a gzip header, or one with flags that do not exist.
    case notGzip
    /// The deflate data is damaged.
    case damaged
    /// The stream ends in the middle.
    case cutShort
    /// It inflates to more than was allowed.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .notGzip: "not a gzip member"
        case .damaged: "damaged deflate data"
        case .cutShort: "cut short"
        case .tooLarge(let limit): "inflates to more than \(limit) bytes"
        }
    }
}
