// The settings of the node's store (`store:`).

/// How much is kept on disk, how long, and how soon it is written.
package struct StoreSettings: SettingsSection {
    /// What waiting records, history and dead letters may take together.
    package var maxSize: ByteSize
    /// How long delivered records are kept while there is room.
    package var history: Interval
    /// What of the filesystem is never used.
    package var minFree: ByteSize
    /// How often data is forced to the disk at most.
    package var sync: Interval
    /// How old the oldest record of a chunk grows before the chunk is closed.
    package var linger: Interval
    /// How much waits for the outputs, compressed, before sources that are far behind are read at the outputs' pace.
    package var catchUpWindow: ByteSize

    package init(from fields: inout Fields) {
        maxSize = fields.value("max_size", default: .gibibytes(2), atLeast: .mebibytes(16))
        history = fields.value("history", default: .hours(24))
        minFree = fields.value("min_free", default: .mebibytes(256))
        sync = fields.value("sync", default: .seconds(1))
        linger = fields.value("linger", default: .milliseconds(250))
        catchUpWindow = fields.value("catch_up_window", default: .mebibytes(64))
    }
}
