// What a command needs to know of the terminal it writes to, and the pager in between.
private import CLinux
private import Glibc

extension Machine {
    /// The terminal's columns; nil when standard output is none. ioctl(2), TIOCGWINSZ
    package static var terminalWidth: Int? {
        var size = winsize()
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// A program that shows text page by page, such as less(1).
@safe
package final class Pager {
    private let stream: UnsafeMutablePointer<FILE>

    /// Starts `$SLUICE_PAGER`, `$PAGER` or less; nil when that is not possible. An empty variable asks for none. popen(3)
    package static func start() -> Pager? {
        let asked = Machine.environment("SLUICE_PAGER") ?? Machine.environment("PAGER")
        if asked == "" { return nil }
        // F: not for less than a page. R: colours. X: what was shown stays on the screen.
        let command = asked ?? "if command -v less > /dev/null; then exec less -FRX; else exec cat; fi"
        guard let stream = unsafe popen(command, "w") else { return nil }
        return unsafe Pager(stream)
    }

    private init(_ stream: UnsafeMutablePointer<FILE>) { unsafe self.stream = unsafe stream }

    /// What is written here is shown. A pager that was left answers with a broken pipe.
    package func input() throws(DiskError) -> OwnedFile {
        let descriptor = unsafe dup(fileno(stream))
        guard descriptor >= 0 else { throw DiskError("duplicate", "the pager's input") }
        return OwnedFile(adopting: descriptor, path: "the pager")
    }

    /// Ends its input and waits until it is left. pclose(3)
    package func finish() { unsafe pclose(stream) }
}
