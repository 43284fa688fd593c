// What can happen to a store, each fact with its log line and its metric.
package import Logging
import Telemetry

/// The store's facts.
package enum StoreEvent: TelemetryEvent {
    case opened(path: String, segments: Int, waitingFrom: UInt64, epoch: UInt64)
    case cutTornEnd(path: String, bytes: UInt64)
    case quarantined(path: String, offset: UInt64, bytes: UInt64)
    case removedUnborn(path: String)
    case setAside(path: String)
    case numbersLostToPowerCut(records: UInt64)
    case cannotWrite(reason: String)
    case writesAgain(afterSeconds: Int)
    case syncFailed(path: String, reason: String, bytesAtRisk: UInt64)
    case full(reason: String)
    case gaveWay(output: String, records: UInt64)
    case unreadableChunk(path: String, offset: UInt64, reason: String)
    case historyRetired(path: String)
    case abandonedCursor(output: String)
    case damagedCursor(path: String)
    case foreignCursor(output: String)
    case identityMadeAgain(path: String, epoch: UInt64)
    case strayedSegment(path: String)
    case notQuarantined(path: String, offset: UInt64, reason: String)
    case cursorMadeAgain(output: String)
    case segmentMadeAgain(path: String)
    case clockStepped(seconds: Int64)
    case deadLettersRetired(output: String, path: String, letters: Int)

    package var level: Logger.Level {
        switch self {
        case .opened, .writesAgain: .info
        case .historyRetired: .debug
        case .cutTornEnd, .removedUnborn, .clockStepped: .notice
        case .abandonedCursor, .full, .foreignCursor, .numbersLostToPowerCut, .setAside, .deadLettersRetired,
            .identityMadeAgain, .strayedSegment, .notQuarantined, .cursorMadeAgain,
            .segmentMadeAgain:
            .warning
        case .quarantined, .cannotWrite, .syncFailed, .gaveWay, .unreadableChunk, .damagedCursor: .error
        }
    }

    package var message: String {
        switch self {
        case .opened: "store opened"
        case .cutTornEnd: "cut off the end of a write that a crash tore; it is read again from its sources"
        case .quarantined:
            "a damaged part of the store was copied to quarantine; its records are lost to outputs that still needed them"
        case .removedUnborn: "removed a segment that a crash had left empty"
        case .setAside:
            "a power cut took the end of the segment before this one: it was moved to quarantine, its records are read again"
        case .numbersLostToPowerCut:
            "a power cut took records from the store that an output had already sent; they are read again"
        case .cannotWrite: "the store cannot be written: reading pauses, the log files are the buffer now"
        case .writesAgain: "the store can be written again"
        case .syncFailed: "syncing a segment failed: a new one is begun, and a power cut now could lose these bytes"
        case .full: "the store is full: reading pauses until an output gets on"
        case .gaveWay: "the store is full and this output is the slowest: records were dropped for it"
        case .unreadableChunk: "a chunk of the store is damaged and was skipped"
        case .historyRetired: "a segment of history was deleted"
        case .abandonedCursor:
            "there is a cursor for an output that is not in the configuration; it holds nothing back. Delete its file when the output is gone for good"
        case .damagedCursor:
            "a cursor is damaged in both slots, or empty: the output begins again at the oldest record that is kept, and may repeat some"
        case .foreignCursor: "a cursor belongs to another store: the output begins anew"
        case .identityMadeAgain:
            "the store's identity was damaged or gone: it was made again from the segments and the cursors, and nothing is lost by it"
        case .strayedSegment:
            "a segment's name is a number that no record can have, or not the one that it begins with: it was moved to quarantine and is not read"
        case .notQuarantined:
            "a damaged part of the store could not be copied to quarantine: it stays in its segment alone; its records are lost to outputs that still needed them"
        case .cursorMadeAgain: "the file of a cursor was deleted while the agent ran: it was written again"
        case .segmentMadeAgain:
            "the segment that is being written was deleted while the agent ran: it was written again, and nothing of it is lost"
        case .clockStepped:
            "the wall clock was set: how long records have waited goes on by the time that really went by"
        case .deadLettersRetired: "dead letters have outgrown their share of the store: the oldest were deleted"
        }
    }

    package var details: [(String, String)] {
        switch self {
        case .opened(let path, let segments, let from, let epoch):
            [("path", path), ("segments", "\(segments)"), ("next", "\(from)"), ("epoch", "\(epoch)")]
        case .cutTornEnd(let path, let bytes): [("path", path), ("bytes", "\(bytes)")]
        case .quarantined(let path, let offset, let bytes):
            [("path", path), ("offset", "\(offset)"), ("bytes", "\(bytes)")]
        case .removedUnborn(let path), .setAside(let path), .historyRetired(let path), .damagedCursor(let path),
            .strayedSegment(let path), .segmentMadeAgain(let path):
            [("path", path)]
        case .numbersLostToPowerCut(let records): [("records", "\(records)")]
        case .cannotWrite(let reason), .full(let reason): [("reason", reason)]
        case .writesAgain(let seconds): [("after_seconds", "\(seconds)")]
        case .syncFailed(let path, let reason, let bytes):
            [("path", path), ("reason", reason), ("bytes_at_risk", "\(bytes)")]
        case .gaveWay(let output, let records): [("output", output), ("records", "\(records)")]
        case .unreadableChunk(let path, let offset, let reason):
            [("path", path), ("offset", "\(offset)"), ("reason", reason)]
        case .abandonedCursor(let output), .foreignCursor(let output), .cursorMadeAgain(let output):
            [("output", output)]
        case .identityMadeAgain(let path, let epoch): [("path", path), ("epoch", "\(epoch)")]
        case .notQuarantined(let path, let offset, let reason):
            [("path", path), ("offset", "\(offset)"), ("reason", reason)]
        case .clockStepped(let seconds): [("by_seconds", "\(seconds)")]
        case .deadLettersRetired(let output, let path, let letters):
            [("output", output), ("path", path), ("letters", "\(letters)")]
        }
    }

    package var counter: String {
        switch self {
        case .opened: "store_starts"
        case .cutTornEnd: "store_torn_ends"
        case .quarantined: "store_quarantined"
        case .removedUnborn: "store_unborn_segments"
        case .setAside: "store_segments_set_aside"
        case .numbersLostToPowerCut: "store_power_cut_records"
        case .cannotWrite: "store_write_failures"
        case .writesAgain: "store_write_recoveries"
        case .syncFailed: "store_sync_failures"
        case .full: "store_full"
        case .gaveWay: "output_gave_way_records"
        case .unreadableChunk: "store_unreadable_chunks"
        case .historyRetired: "store_retired_segments"
        case .abandonedCursor: "store_abandoned_cursors"
        case .damagedCursor: "store_damaged_cursors"
        case .foreignCursor: "store_foreign_cursors"
        case .identityMadeAgain: "store_identities_made_again"
        case .strayedSegment: "store_strayed_segments"
        case .notQuarantined: "store_not_quarantined"
        case .cursorMadeAgain: "store_cursors_made_again"
        case .segmentMadeAgain: "store_segments_made_again"
        case .clockStepped: "store_clock_steps"
        case .deadLettersRetired: "output_dead_letters_retired"
        }
    }

    package var amount: UInt64 {
        switch self {
        case .numbersLostToPowerCut(let records), .gaveWay(_, let records): records
        case .deadLettersRetired(_, _, let letters): UInt64(letters)
        default: 1
        }
    }
}
