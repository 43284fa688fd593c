// What the standard library does not do with spans of bytes yet.

extension [UInt8] {
    /// Copies a span.
    public init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension String {
    /// Reads a span as UTF-8, invalid bytes replaced by U+FFFD.
    public init(decoding span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// The same bytes as a raw span, as libraries take them. (The standard library's own `bytes` is unsafe, because elements of
    /// other types may have padding.)
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        get { unsafe bytes }
    }
}
