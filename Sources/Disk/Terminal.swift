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

    /// Whether the terminal can do no more than show characters one after the other.
    package static var terminalIsDumb: Bool {
        switch environment("TERM") {
        case nil, "", "dumb": true
        default: false
        }
    }

    fileprivate static var wantsColor: Bool { (environment("NO_COLOR") ?? "").isEmpty && !terminalIsDumb }
}

extension StandardStream {
    /// Whether colours are of use: it is a terminal that has some, and NO_COLOR (https://no-color.org) does not ask for none.
    package static var outputTakesColor: Bool { outputIsTerminal && Machine.wantsColor }
    package static var errorTakesColor: Bool { errorIsTerminal && Machine.wantsColor }
}

/// A program that shows text page by page, such as less(1).
@safe
package final class Pager {
    private let stream: UnsafeMutablePointer<FILE>

    /// F: not for less than a page. R: colours. X: what was shown stays on the screen.
    private static let less = "if command -v less > /dev/null; then exec less -FRX; else exec cat; fi"

    /// The shell runs what the variable says. 126 and 127 are its own: nothing was started, so nothing has been read yet. Ctrl-C is for the
    /// pager, and must not end the shell before it.
    private static let asked = """
        command=${SLUICE_PAGER-$PAGER}
        trap : INT QUIT
        (eval "$command")
        case $? in
        126 | 127)
            printf "sluice: cannot start the pager '%s': showing everything without one\\n" "$command" >&2
            exec cat
            ;;
        esac
        """

    /// Starts `$SLUICE_PAGER`, `$PAGER` or less; one that cannot be started is reported on standard error, and everything is shown
    /// without. nil when none is asked for: by an empty variable, or by a terminal that has no pages. popen(3)
    package static func start() -> Pager? {
        let asked = Machine.environment("SLUICE_PAGER") ?? Machine.environment("PAGER")
        if asked == "" || Machine.terminalIsDumb { return nil }
        guard let stream = unsafe popen(asked == nil ? less : Pager.asked, "w") else { return nil }
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
