// Commands that make something for as long as they run: when a signal asks them to end, they stop and clean up first.
import ArgumentParser
import Disk
import UnixSignals

/// Runs a command's work so that signals stop it instead of ending the process.
enum Interruption {
    /// All that end a process by themselves, but for crashes, SIGKILL, and SIGPIPE, which is a failed write here.
    private static let signals: [UnixSignal] = [.sighup, .sigint, .sigquit, .sigalrm, .sigterm, .sigusr1, .sigusr2]

    /// Runs `body` on a thread of its own to its end. A signal calls `stop`, which has to bring that about; a second one ends the process.
    static func run<Result: Sendable>(
        _ name: String, stop: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        // What nohup or a shell's & keeps from us stays so.
        let trapped = await UnixSignalsSequence(trapping: signals.filter { !Machine.ignores(signal: $0.rawValue) })
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                let outcome: Swift.Result<Result, any Error> = await withCheckedContinuation { continuation in
                    _ = OSThread(name) { continuation.resume(returning: Swift.Result { try body() }) }
                }
                return try outcome.get()
            }
            group.addTask {
                var isStopping = false
                for await signal in trapped {
                    if isStopping { Sluice.exit(withError: ExitCode(128 + signal.rawValue)) }
                    isStopping = true
                    stop()
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
