// Other programs, for tests that compare with them or need a second process.
private import Foundation
private import Glibc

/// A program that runs beside the test.
package final class ChildProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    /// Starts a program that is found on the path.
    package init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    package var id: Int { Int(process.processIdentifier) }

    /// Waits for one line of its output.
    package func line() -> String {
        var bytes: [UInt8] = []
        while let byte = output.fileHandleForReading.readData(ofLength: 1).first, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Ends its input, takes the rest of its output and waits for its end.
    package func finish() -> (status: Int, output: [UInt8]) {
        try? input.fileHandleForWriting.close()
        let rest = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (Int(process.terminationStatus), Array(rest))
    }

    /// Kills it at once, as `kill -9` does.
    package func kill() {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs a program to its end; it gets no input.
    package static func run(_ arguments: String...) throws -> (status: Int, output: [UInt8]) {
        try ChildProcess(arguments).finish()
    }
}
