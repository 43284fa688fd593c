// The delivery settings that every output has, beside the plugin's own in the same item.

/// How an output gets its records: the settings that every output has.
package struct DeliverySettings: SettingsSection {
    /// What happens when the store is full and this output is the slowest.
    package var whenFull: WhenFull
    /// Where a new output begins.
    package var startAt: StartAt
    /// How old waiting records may grow; nil for no limit.
    package var maxAge: Interval?
    /// How much may wait, compressed; nil for no limit.
    package var maxWaiting: ByteSize?
    /// How large a request may be, compressed.
    package var maxRequest: ByteSize
    /// How long a small request waits for more.
    package var maxDelay: Interval
    /// How failed requests are repeated.
    package var retry: Retry
    /// Which records it gets (`where`).
    package var selection: Condition

    /// What gives when the store is full.
    package enum WhenFull: String, Sendable, CaseIterable {
        /// The output skips the oldest records, which are counted.
        case giveWay = "give_way"
        /// Reading pauses until the output has caught up.
        case pause
    }

    /// Where a new output begins.
    package enum StartAt: String, Sendable, CaseIterable {
        /// At what comes from now on.
        case end
        /// At the oldest record that is still kept.
        case history
    }

    /// How long to wait between attempts.
    package struct Retry: SettingsSection {
        /// After the first failure.
        package var initial: Interval
        /// At most, after many.
        package var max: Interval

        package init(from fields: inout Fields) {
            initial = fields.value("initial", default: .seconds(1), atLeast: .milliseconds(10))
            max = fields.value("max", default: .minutes(1))
            if max < initial {
                fields.refuse("max", "must not be shorter than 'initial' (\(initial)), found \(max)")
            }
        }
    }

    package init(from fields: inout Fields) {
        whenFull = fields.choice("when_full", default: .giveWay)
        startAt = fields.choice("start_at", default: .end)
        maxAge = fields.optional("max_age", as: Interval.self, atLeast: .seconds(1))
        maxWaiting = fields.optional("max_waiting", as: ByteSize.self, atLeast: .kibibytes(64))
        maxRequest = fields.value(
            "max_request", default: .mebibytes(1), atLeast: .kibibytes(64), atMost: .gibibytes(1))
        maxDelay = fields.value("max_delay", default: .seconds(1))
        retry = fields.section("retry", as: Retry.self)
        selection = fields.section("where", as: Condition.self)
    }
}
