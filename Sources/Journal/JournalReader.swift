// Reads journals by libsystemd; without the trait Journald, JournalReader+absent.swift stands in for this.
//
// The only file that may import CSystemd: its guard against unreadable pages exists once for each object file.
// sd-journal(3) wants an object to be used by one thread only.
#if Journald
    private import CLinux
    private import CSystemd
    private import Glibc

    /// A view of journals that steps from entry to entry. sd_journal
    @safe
    package struct JournalReader: ~Copyable {
        private let journal: OpaquePointer

        /// Whether this program can read journals.
        package static let isBuiltIn = true

        /// How often a page of a journal could not be read from the disk, and was taken for zeros: the file was cut short, or the disk is
        /// broken. libsystemd passes over what is damaged by it, up to the whole file, without a word.
        package private(set) var faults = 0

        /// Opens journals; the reader stands before the first entry. Files that cannot be read are passed over: `JournalSurvey` lists
        /// them. sd_journal_open, sd_journal_open_directory, sd_journal_open_files
        /// - Parameter links: a folder of ours, made if need be, that two folders are linked together in. Not needed when they are
        ///   `<root>/var/log/journal` and `<root>/run/log/journal`. It must stay as long as the reader is open.
        package init(_ source: JournalSource, links: String? = nil) throws(JournalError) {
            let opening = try source.opening(links: links)
            _ = JournalReader.handlesFaults
            unsafe journal = try JournalReader.open(opening)
            // Fields are given whole: by default they are cut at 64 KiB.
            _ = unsafe sd_journal_set_data_threshold(journal, 0)
        }

        private init(adopting journal: OpaquePointer) { unsafe self.journal = unsafe journal }

        deinit { unsafe sd_journal_close(journal) }

        private static let handlesFaults: Void = sluice_journal_handle_faults()

        private static func open(_ opening: JournalOpening) throws(JournalError) -> OpaquePointer {
            var journal: OpaquePointer?
            let begin = sluice_journal_begin()
            defer { _ = sluice_journal_end(begin) }
            let code: Int32
            let call: String
            switch opening {
            case .local(let onlyThisMachine):
                call = "sd_journal_open"
                code = unsafe sd_journal_open(&journal, onlyThisMachine ? Int32(SD_JOURNAL_LOCAL_ONLY) : 0)
            case .folder(let path):
                call = "sd_journal_open_directory"
                code = unsafe sd_journal_open_directory(&journal, path, 0)
            case .root(let path):
                call = "sd_journal_open_directory"
                code = unsafe sd_journal_open_directory(&journal, path, Int32(SD_JOURNAL_OS_ROOT))
            case .files(let paths):
                call = "sd_journal_open_files"
                code = unsafe openFiles(paths, &journal)
                // It does not tell which of them.
                if code < 0, let finding = JournalSurvey(.files(paths)).findings.first { throw .unusable(finding) }
            }
            guard code >= 0, let journal = unsafe journal else { throw .failed(call: call, code: -code) }
            return unsafe journal
        }

        private static func openFiles(_ paths: [String], _ journal: inout OpaquePointer?) -> Int32 {
            let copies = unsafe paths.map { unsafe UnsafePointer<CChar>(strdup($0)) }
            defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
            var list = unsafe copies + [nil]
            return unsafe sd_journal_open_files(&journal, &list, 0)
        }

        /// Makes a call that may read mapped files, and turns what it answers into an error, or what it tells.
        @discardableResult
        private mutating func call(
            _ name: StaticString, _ body: (OpaquePointer) -> Int32
        ) throws(JournalError) -> Int32 {
            let begin = sluice_journal_begin()
            let code = unsafe body(journal)
            faults += Int(sluice_journal_end(begin))
            return try JournalReader.check(code, name)
        }

        private static func check(_ code: Int32, _ call: StaticString) throws(JournalError) -> Int32 {
            switch -code {
            case ..<1: return code
            case EADDRNOTAVAIL: throw .noEntry
            case EBADMSG: throw .damagedEntry
            default: throw .failed(call: "\(call)", code: -code)
            }
        }

        // MARK: Choosing

        /// Steps on matching entries only, from now on. sd_journal_flush_matches, sd_journal_add_match, sd_journal_add_conjunction,
        /// sd_journal_add_disjunction
        package mutating func select(_ matches: JournalMatches) throws(JournalError) {
            unsafe sd_journal_flush_matches(journal)
            for clause in matches.clauses {
                try unsafe call("sd_journal_add_conjunction") { unsafe sd_journal_add_conjunction($0) }
                for group in clause {
                    try unsafe call("sd_journal_add_disjunction") { unsafe sd_journal_add_disjunction($0) }
                    for term in group { try add(term) }
                }
            }
        }

        private func add(_ term: JournalTerm) throws(JournalError) {
            let bytes = Array(term.field.utf8) + [UInt8(ascii: "=")] + term.value
            let code = unsafe bytes.withUnsafeBytes { unsafe sd_journal_add_match(journal, $0.baseAddress, $0.count) }
            if code == -EINVAL { throw .badMatch(String(decoding: bytes, as: UTF8.self)) }
            _ = try JournalReader.check(code, "sd_journal_add_match")
        }

        // MARK: Going

        /// Goes to a place between entries. sd_journal_seek_head, sd_journal_seek_tail, sd_journal_seek_cursor,
        /// sd_journal_seek_realtime_usec, sd_journal_seek_monotonic_usec
        package mutating func seek(to place: JournalPlace) throws(JournalError) {
            let code =
                switch place {
                case .head: unsafe sd_journal_seek_head(journal)
                case .tail: unsafe sd_journal_seek_tail(journal)
                case .cursor(let text): unsafe sd_journal_seek_cursor(journal, text)
                case .realtime(let time): unsafe sd_journal_seek_realtime_usec(journal, time)
                case .monotonic(let time, let boot):
                    unsafe sd_journal_seek_monotonic_usec(
                        journal, sd_id128_t(qwords: (boot.high.bigEndian, boot.low.bigEndian)), time)
                }
            if code == -EINVAL, case .cursor(let text) = place { throw .badCursor(text) }
            _ = try JournalReader.check(code, "sd_journal_seek")
        }

        /// Goes on where reading had stopped: behind the entry of a cursor. See `JournalResumption`.
        package mutating func resume(after cursor: String) throws(JournalError) -> JournalResumption {
            try seek(to: .cursor(cursor))
            guard try next() else { return .nothingLater }
            if try isAt(cursor) { return .found }
            // journald copies entries from /run to /var: they get other numbers there, but are the same by everything else.
            let wanted = JournalCursor(cursor)
            repeat {
                guard let wanted, let here = JournalCursor(try self.cursor()), here.isSameMoment(as: wanted) else {
                    break
                }
                if here.contentHash == wanted.contentHash { return .found }
            } while try next()
            // That was a step on an entry which is still to be read.
            try seek(to: .cursor(cursor))
            return .gone
        }

        /// Goes behind the last entry, so that `next()` steps on those that are yet to come, also when there is none now.
        package mutating func skipToEnd() throws(JournalError) {
            try seek(to: .tail)
            if try !previous() { try seek(to: .head) }
        }

        /// Steps on the next entry; false, and no step, when there is none (yet). A step that failed fails again: then a new reader
        /// has to go on after the last cursor. sd_journal_next
        package mutating func next() throws(JournalError) -> Bool {
            try unsafe call("sd_journal_next") { unsafe sd_journal_next($0) } > 0
        }

        /// Steps on the entry before; false, and no step, when there is none. sd_journal_previous
        package mutating func previous() throws(JournalError) -> Bool {
            try unsafe call("sd_journal_previous") { unsafe sd_journal_previous($0) } > 0
        }

        // MARK: The entry

        /// The entry's place in the journal, to come back to. sd_journal_get_cursor
        package mutating func cursor() throws(JournalError) -> String {
            var text: UnsafeMutablePointer<CChar>?
            try unsafe call("sd_journal_get_cursor") { unsafe sd_journal_get_cursor($0, &text) }
            guard let text = unsafe text else { throw .noEntry }
            defer { unsafe free(text) }
            return unsafe String(cString: text)
        }

        /// Whether the reader stands on the entry of a cursor. sd_journal_test_cursor
        package mutating func isAt(_ cursor: String) throws(JournalError) -> Bool {
            do throws(JournalError) {
                return try unsafe call("sd_journal_test_cursor") { unsafe sd_journal_test_cursor($0, cursor) } > 0
            } catch {
                switch error {
                case .noEntry: return false
                case .failed(_, EINVAL): throw .badCursor(cursor)
                default: throw error
                }
            }
        }

        /// When the entry was received: microseconds since 1970, on journald's clock. sd_journal_get_realtime_usec
        package mutating func realtime() throws(JournalError) -> UInt64 {
            var time: UInt64 = 0
            try unsafe call("sd_journal_get_realtime_usec") { unsafe sd_journal_get_realtime_usec($0, &time) }
            return time
        }

        /// When the entry was received, counted from the start of its machine. sd_journal_get_monotonic_usec
        package mutating func moment() throws(JournalError) -> JournalMoment {
            var time: UInt64 = 0
            var boot = sd_id128_t()
            try unsafe call("sd_journal_get_monotonic_usec") { unsafe sd_journal_get_monotonic_usec($0, &time, &boot) }
            let (high, low) = unsafe boot.qwords
            let id = JournalID(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
            return JournalMoment(monotonic: time, bootID: id)
        }

        /// Lends the value of a field, the first if it is repeated, for the time of the call. Looks at each field of the entry: to read
        /// several, `forEachField` is faster. sd_journal_get_data
        /// - Returns: false when the entry has no such field.
        package mutating func withField(_ name: String, _ body: (Span<UInt8>) -> Void) throws(JournalError) -> Bool {
            let begin = sluice_journal_begin()
            defer { faults += Int(sluice_journal_end(begin)) }
            var data: UnsafeRawPointer?
            var count = 0
            let code = unsafe sd_journal_get_data(journal, name, &data, &count)
            if code == -ENOENT { return false }
            _ = try JournalReader.check(code, "sd_journal_get_data")
            guard let data = unsafe data else { return false }
            let bytes = unsafe UnsafeBufferPointer(start: data.assumingMemoryBound(to: UInt8.self), count: count)
            body(unsafe bytes.span.extracting((name.utf8.count + 1)...))
            return true
        }

        /// Lends each field of the entry, in the entry's order, its name and value for the time of the call only: values are any bytes,
        /// and a name may come several times. The reader is not to be touched meanwhile. sd_journal_restart_data,
        /// sd_journal_enumerate_data, sd_journal_enumerate_available_data
        /// - Returns: how many fields could not be read for certain: libsystemd lacks their compression, or a page is unreadable.
        package mutating func forEachField(
            _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void
        ) throws(JournalError) -> Int {
            let begin = sluice_journal_begin()
            var unreadable = 0
            unsafe sd_journal_restart_data(journal)
            var data: UnsafeRawPointer?
            var count = 0
            var code: Int32
            while true {
                code = unsafe sd_journal_enumerate_data(journal, &data, &count)
                if JournalReader.concernsOneField(code) {
                    unreadable += 1
                    // This one knows how to pass over it.
                    code = unsafe sd_journal_enumerate_available_data(journal, &data, &count)
                }
                guard code > 0, let start = unsafe data else { break }
                let bytes = unsafe UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
                guard let sign = unsafe memchr(start, Int32(UInt8(ascii: "=")), count) else {
                    unreadable += 1
                    continue
                }
                let length = unsafe UnsafeRawPointer(sign) - start
                let span = unsafe bytes.span
                body(span.extracting(first: length), span.extracting((length + 1)...))
            }
            let pages = Int(sluice_journal_end(begin))
            faults += pages
            _ = try JournalReader.check(code, "sd_journal_enumerate_data")
            return unreadable + pages
        }

        /// Errors that the next field need not have: too large for this machine, or compressed in a way that this libsystemd cannot undo.
        private static func concernsOneField(_ code: Int32) -> Bool {
            code == -E2BIG || code == -ENOBUFS || code == -EPROTONOSUPPORT || code == -EOPNOTSUPP
        }

        // MARK: Waiting

        /// The descriptor that can be read (POLLIN, as sd_journal_get_events has it) after something changed, until `process()`. It
        /// belongs to the reader. The first call begins to watch, and finds files that came since the reader was opened; it takes one
        /// of the user's inotify instances. It wakes once for each write to any of the journals, matching or not. sd_journal_get_fd
        /// - Parameter watches: so many folders have to be watched.
        package mutating func descriptor(atLeast watches: Int = 1) throws(JournalError) -> Int32 {
            let descriptor: Int32
            do throws(JournalError) {
                descriptor = try unsafe call("sd_journal_get_fd") { unsafe sd_journal_get_fd($0) }
            } catch {
                guard case .failed(_, let code) = error else { throw error }
                throw .cannotWatch(code: code)
            }
            // libsystemd passes over folders that the system does not let it watch.
            if !Folder.isWatching(descriptor, atLeast: watches) { throw .cannotWatch(code: ENOSPC) }
            return descriptor
        }

        /// When to call `process()` though nothing was told, nanoseconds on the monotonic clock; nil: never. Files on a network must be
        /// looked at. sd_journal_get_timeout
        package mutating func deadline() throws(JournalError) -> Int64? {
            var time: UInt64 = 0
            try unsafe call("sd_journal_get_timeout") { unsafe sd_journal_get_timeout($0, &time) }
            return time == .max ? nil : Int64(clamping: time) * 1000
        }

        /// Takes what the descriptor has to tell. Afterwards the entry the reader stood on may be gone, with its file; the next step
        /// leads to the same entry as it would have before. sd_journal_process
        package mutating func process() throws(JournalError) -> JournalChange {
            switch try unsafe Int(call("sd_journal_process") { unsafe sd_journal_process($0) }) {
            case SD_JOURNAL_APPEND: return .append
            case SD_JOURNAL_INVALIDATE: return .invalidate
            default: return .nothing
            }
        }

        // MARK: Facts

        /// Every value that a field has in any entry, matching or not, without reading entries; in no order, and the first `limit`
        /// only. The reader's place is as before. sd_journal_query_unique, sd_journal_enumerate_unique
        package mutating func values(of field: String, limit: Int = 10_000) throws(JournalError) -> [String] {
            let begin = sluice_journal_begin()
            defer { faults += Int(sluice_journal_end(begin)) }
            _ = try JournalReader.check(
                unsafe sd_journal_query_unique(journal, field), "sd_journal_query_unique")
            var values: [String] = []
            var data: UnsafeRawPointer?
            var count = 0
            while values.count < limit {
                // A file that is damaged ends the search in it; what was found stays.
                guard unsafe sd_journal_enumerate_available_unique(journal, &data, &count) > 0, let start = unsafe data
                else { break }
                let bytes = unsafe UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
                unsafe values.append(String(decoding: bytes.dropFirst(field.utf8.count + 1), as: UTF8.self))
            }
            return values
        }

        /// Bytes that the open files take on the disk. sd_journal_get_usage
        package mutating func diskUsage() throws(JournalError) -> UInt64 {
            var bytes: UInt64 = 0
            try unsafe call("sd_journal_get_usage") { unsafe sd_journal_get_usage($0, &bytes) }
            return bytes
        }

        /// What libsystemd finds at both ends of one file: the times of its first and its last entry, or the error (errno's value) with
        /// which it refuses the file.
        static func ends(of path: String) -> (code: Int32, first: UInt64?, last: UInt64?) {
            var journal: OpaquePointer?
            _ = handlesFaults
            let begin = sluice_journal_begin()
            let code = unsafe openFiles([path], &journal)
            _ = sluice_journal_end(begin)
            guard code >= 0, let journal = unsafe journal else { return (-code, nil, nil) }
            var reader = unsafe JournalReader(adopting: journal)
            let first = (try? reader.next()) == true ? try? reader.realtime() : nil
            try? reader.seek(to: .tail)
            let last = (try? reader.previous()) == true ? try? reader.realtime() : nil
            return (0, first, last)
        }
    }
#endif
