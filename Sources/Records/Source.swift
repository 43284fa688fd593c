// Where records come from: what a source is, and how far it has been read.

/// The kinds of sources. Raw values are written to disk.
public enum SourceKind: UInt8, Sendable {
    /// One generation of a container's log file.
    case container = 1
    /// A text file.
    case file = 2
    /// A systemd journal.
    case journal = 3
}

/// The number by which the store knows a source; given once and never again in the life of a store.
public typealias SourceNumber = UInt32

/// What a source is. It is written into each segment that has records of the source.
public struct SourceIdentity: Hashable, Sendable {
    /// What sort of stream it is.
    public var kind: SourceKind
    /// The name of the input that reads it.
    public var input: String
    /// Where it was found: for a container the path of its `N.log`, whatever the rotated file is called by now.
    public var path: String
    public var namespace: String
    public var pod: String
    /// The uid in the pod's folder name; for static pods the hash of the manifest.
    public var uid: String
    public var container: String
    /// The `N` of `N.log`.
    public var restart: Int32

    /// A source that is no container's has empty names.
    public init(
        kind: SourceKind, input: String, path: String, namespace: String = "", pod: String = "", uid: String = "",
        container: String = "", restart: Int32 = 0
    ) {
        self.kind = kind
        self.input = input
        self.path = path
        self.namespace = namespace
        self.pod = pod
        self.uid = uid
        self.container = container
        self.restart = restart
    }
}

/// How far a source has been read, in a form that only its input understands (at most 255 bytes).
public struct Position: Hashable, Sendable {
    /// What the store can write, in bytes.
    public static let maximumSize = 255
    /// The input's own encoding.
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        precondition(bytes.count <= Position.maximumSize, "a position is longer than the store can write")
        self.bytes = bytes
    }
}

/// A source as the store remembers it from before the start.
public struct KnownSource: Sendable {
    /// How the store knows it, what it is, and how far it was read.
    public let number: SourceNumber
    public let identity: SourceIdentity
    public let position: Position

    public init(number: SourceNumber, identity: SourceIdentity, position: Position) {
        self.number = number
        self.identity = identity
        self.position = position
    }
}

/// One step of reading: from now on the source stands at `position`.
public struct Progress: Sendable {
    /// The source, and where its reading stands.
    public var source: SourceNumber
    public var position: Position
    /// The source will never be asked for again: its file is gone and read.
    public var isRetired: Bool

    public init(source: SourceNumber, position: Position, isRetired: Bool = false) {
        self.source = source
        self.position = position
        self.isRetired = isRetired
    }
}
