// What stands in for JournalReader.swift without the trait Journald: no value of it can exist.
#if !Journald
    /// A reader of journals that cannot be opened. Its members are those of the real one, which describes them.
    package struct JournalReader: ~Copyable {
        private let nobody: Never

        /// Whether this program can read journals.
        package static let isBuiltIn = false

        /// - Throws: `.notBuiltIn`, always.
        package init(_ source: JournalSource, links: String? = nil) throws(JournalError) { throw .notBuiltIn }

        /// Not to be reached, like all below.
        package var faults: Int { switch nobody {} }
        package mutating func select(_ matches: JournalMatches) throws(JournalError) { switch nobody {} }
        package mutating func seek(to place: JournalPlace) throws(JournalError) { switch nobody {} }
        package mutating func skipToEnd() throws(JournalError) { switch nobody {} }
        package mutating func next() throws(JournalError) -> Bool { switch nobody {} }
        package mutating func previous() throws(JournalError) -> Bool { switch nobody {} }
        package mutating func cursor() throws(JournalError) -> String { switch nobody {} }
        package mutating func isAt(_ cursor: String) throws(JournalError) -> Bool { switch nobody {} }
        package mutating func realtime() throws(JournalError) -> UInt64 { switch nobody {} }
        package mutating func moment() throws(JournalError) -> JournalMoment { switch nobody {} }
        package mutating func descriptor(atLeast watches: Int = 1) throws(JournalError) -> Int32 { switch nobody {} }
        package mutating func deadline() throws(JournalError) -> Int64? { switch nobody {} }
        package mutating func process() throws(JournalError) -> JournalChange { switch nobody {} }
        package mutating func diskUsage() throws(JournalError) -> UInt64 { switch nobody {} }
        /// As above.
        package mutating func values(of field: String, limit: Int = 10_000) throws(JournalError) -> [String] {
            switch nobody {}
        }
        /// As above.
        package mutating func resume(after cursor: String) throws(JournalError) -> JournalResumption {
            switch nobody {}
        }
        /// As above.
        package mutating func withField(_ name: String, _ body: (Span<UInt8>) -> Void) throws(JournalError) -> Bool {
            switch nobody {}
        }
        /// As above.
        package mutating func forEachField(
            _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void
        ) throws(JournalError) -> Int { switch nobody {} }

        /// Nothing is known: the file's header must do.
        static func ends(of path: String) -> (code: Int32, first: UInt64?, last: UInt64?) { (0, nil, nil) }
    }
#endif
