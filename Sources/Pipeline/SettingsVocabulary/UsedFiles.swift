// What the settings of a plugin say of the files that it reads or writes: enough to see before the start that an input would read
// what the agent itself writes.

/// Files of a plugin, as far as its settings tell.
package struct UsedFiles: Sendable {
    /// A file that an output writes; its name may change with the time.
    package struct Written: Sendable {
        /// Its path now, and at other times.
        package let examples: [String]
        /// A glob for all of them.
        package let glob: String

        package init(examples: [String], glob: String) {
            self.examples = examples
            self.glob = glob
        }
    }

    /// Of an input: whether it reads a file of this path. nil when it looks for none.
    package var reads: (@Sendable (_ path: String) -> Bool)?
    /// Of an input: it reads what the agent prints when it runs in a pod.
    package var readsOwnPod = false
    /// Of an input: it reads all of this machine's journal, whoever writes it.
    package var readsWholeJournal = false
    /// Of an output: what it writes.
    package var written: [Written] = []
    /// Of an output: it prints records on standard output.
    package var isPrinted = false

    package init() {}
}

/// The settings of a plugin, read from its item in the configuration.
package protocol PluginSettings: SettingsSection {
    /// The files that they lead to.
    var usedFiles: UsedFiles { get }
}

extension PluginSettings {
    /// Most plugins use none.
    package var usedFiles: UsedFiles { UsedFiles() }
}
