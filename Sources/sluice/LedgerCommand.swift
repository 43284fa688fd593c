// `sluice ledger`: the account of a store, also beside a running agent.
import ArgumentParser
import Store

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Show what became of every record: read, stored, delivered, waiting, dropped.",
        discussion: "Exits with 1 when the account does not close. A running agent prints the same on SIGUSR1.")

    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup var store: StoreOptions

    @Option(name: [.customShort("o"), .long], help: "Output format.")
    var output = Output.text

    func run() throws {
        let ledger = try Ledger(StoreFolder(store.dataDir))
        print(output == .json ? ledger.json : ledger.text)
        if !ledger.closes { throw Exit.failure }
    }
}
