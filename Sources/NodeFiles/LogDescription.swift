// What a log's records get with them, and who says so.

/// What the records of a log get with them.
package struct LogDescription: Sendable {
    /// What each record ends with, its newline included.
    package var ending: [UInt8]
    /// Everything that is wanted is known. Records of an incomplete one are counted.
    package var isComplete: Bool
    /// What is missing may come soon.
    package var isWorthWaiting = true
    /// Which parsers its records go through: see `RecordBatch.parsing`.
    package var parsing: UInt8

    package init(ending: [UInt8], isComplete: Bool = true, parsing: UInt8 = 0) {
        self.ending = ending
        self.isComplete = isComplete
        self.parsing = parsing
    }
}

/// Which pods may be described differently than before.
package enum DescriptionChanges: Sendable {
    case none
    /// The pods with these uids in their paths.
    case pods(Set<String>)
    case all
}

/// Says which containers' logs are read, and what their records get with them. It belongs to the lane's thread.
package protocol LogDescriber: AnyObject {
    /// Whether a pod's logs are read, or one container's of it; a pod is judged before its containers are known.
    func isWanted(_ pod: PodFolder, _ container: String?) -> Bool
    /// What the log's records get with them, by what is known now.
    func describe(_ log: ContainerLog) -> LogDescription
    /// Whether the container is known to have ended: nothing will be written to the log any more.
    func hasEnded(_ log: ContainerLog) -> Bool
    /// A log of which too little is known waits for more.
    func waitBegan(_ log: ContainerLog)
    /// It does not wait any more: what was missing is known, or it goes on without it, or it is gone.
    func waitEnded(_ log: ContainerLog, _ end: WaitEnd)
    /// The log is not read any more.
    func isGone(_ log: ContainerLog)
    /// What has changed since this was asked before.
    func takeChanges() -> DescriptionChanges
    /// Whether `takeChanges` has something to say.
    var hasChanges: Bool { get }
}

/// How a log's wait for its description ended.
package enum WaitEnd: Sendable {
    /// What was missing is known.
    case complete
    /// It took too long.
    case tookTooLong
    /// The log is not read any more.
    case abandoned
}

/// Who describes logs once and for all says nothing more.
extension LogDescriber {
    /// Nobody knows.
    package func hasEnded(_ log: ContainerLog) -> Bool { false }
    /// Nothing is done about it.
    package func waitBegan(_ log: ContainerLog) {}
    /// Nothing is done about it.
    package func waitEnded(_ log: ContainerLog, _ end: WaitEnd) {}
    /// Nothing is done about it.
    package func isGone(_ log: ContainerLog) {}
    /// Nothing changes.
    package func takeChanges() -> DescriptionChanges { .none }
    /// Nothing changes.
    package var hasChanges: Bool { false }
}
