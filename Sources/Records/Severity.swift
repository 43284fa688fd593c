// One ordered list of severities for everything that logs, and how the names and numbers of common loggers map to it.
public import Bytes

/// How bad a record is; ordered from least to worst. Raw values are written to disk by name only.
public enum Severity: UInt8, BitwiseCopyable, Comparable, CaseIterable, Sendable {
    case unknown = 0
    case trace, debug, info, notice, warning, error, critical, alert, emergency

    public static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }

    /// The name that is written into records.
    public var name: StaticString {
        switch self {
        case .unknown: "unknown"
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        case .alert: "alert"
        case .emergency: "emergency"
        }
    }

    /// The severity that a logger's name stands for, in any case: "WARN", "err", "Information". nil for other words.
    public init?(named bytes: Span<UInt8>) {
        guard bytes.count >= 3, bytes.count <= 11 else { return nil }
        var word: UInt64 = 0
        for i in 0..<min(8, bytes.count) { word |= UInt64(bytes[i] | 0x20) << UInt64(8 * i) }
        self.init(word, length: bytes.count)
    }

    /// The severity of a word of `length` bytes in an arena, as `init(named:)`.
    @inline(__always)
    public init?(named arena: borrowing Arena, at start: Int, length: Int) {
        guard length >= 3, length <= 11 else { return nil }
        var word = arena.word(at: start)
        if length < 8 { word &= (1 << UInt64(8 * length)) - 1 }
        self.init(word | 0x2020_2020_2020_2020 & (length < 8 ? (1 << UInt64(8 * length)) - 1 : ~0), length: length)
    }

    /// `word`: the first eight bytes in lower case, little-endian, zero behind the end.
    private init?(_ word: UInt64, length: Int) {
        switch (word, length) {
        case (Word.trace, 5), (Word.verbose, 7), (Word.vrb, 3), (Word.finest, 6), (Word.finer, 5): self = .trace
        case (Word.debug, 5), (Word.fine, 4), (Word.dbg, 3): self = .debug
        case (Word.info, 4), (Word.informat, 11), (Word.config, 6), (Word.inf, 3): self = .info
        case (Word.notice, 6): self = .notice
        case (Word.warn, 4), (Word.warning, 7), (Word.wrn, 3): self = .warning
        case (Word.error, 5), (Word.err, 3), (Word.severe, 6): self = .error
        case (Word.critical, 8), (Word.crit, 4), (Word.fatal, 5), (Word.dpanic, 6), (Word.ftl, 3): self = .critical
        case (Word.alert, 5): self = .alert
        case (Word.emergenc, 9), (Word.emerg, 5), (Word.panic, 5): self = .emergency
        default: return nil
        }
    }

    /// syslog's number for it, 0 to 7; nil for `unknown`. `trace` has none of its own and is `debug`'s.
    public var syslogNumber: Int? {
        switch self {
        case .unknown: nil
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        case .alert: 1
        case .emergency: 0
        }
    }

    /// The severity that a number stands for: 0 to 7 as in syslog (RFC 5424, GELF), 10 to 69 as in pino and bunyan.
    public init?(number: Int) {
        switch number {
        case 0: self = .emergency
        case 1: self = .alert
        case 2: self = .critical
        case 3: self = .error
        case 4: self = .warning
        case 5: self = .notice
        case 6: self = .info
        case 7: self = .debug
        case 10..<20: self = .trace
        case 20..<30: self = .debug
        case 30..<40: self = .info
        case 40..<50: self = .warning
        case 50..<60: self = .error
        case 60..<70: self = .critical
        default: return nil
        }
    }
}

/// The first eight bytes of each word, little-endian, so that one comparison recognises it.
private enum Word {
    static let trace: UInt64 = 0x6563617274
    static let verbose: UInt64 = 0x65736f62726576
    static let vrb: UInt64 = 0x627276
    static let finest: UInt64 = 0x7473656e6966
    static let finer: UInt64 = 0x72656e6966
    static let debug: UInt64 = 0x6775626564
    static let fine: UInt64 = 0x656e6966
    static let dbg: UInt64 = 0x676264
    static let info: UInt64 = 0x6f666e69
    static let informat: UInt64 = 0x74616d726f666e69
    static let inf: UInt64 = 0x666e69
    static let config: UInt64 = 0x6769666e6f63
    static let notice: UInt64 = 0x656369746f6e
    static let warn: UInt64 = 0x6e726177
    static let warning: UInt64 = 0x676e696e726177
    static let wrn: UInt64 = 0x6e7277
    static let error: UInt64 = 0x726f727265
    static let err: UInt64 = 0x727265
    static let severe: UInt64 = 0x657265766573
    static let critical: UInt64 = 0x6c61636974697263
    static let crit: UInt64 = 0x74697263
    static let fatal: UInt64 = 0x6c61746166
    static let ftl: UInt64 = 0x6c7466
    static let dpanic: UInt64 = 0x63696e617064
    static let alert: UInt64 = 0x7472656c61
    static let emergenc: UInt64 = 0x636e656772656d65
    static let emerg: UInt64 = 0x6772656d65
    static let panic: UInt64 = 0x63696e6170
}
