// Damaged configurations: whatever stands in the file, the answer is settings or a problem with a place in the file.
import Pipeline
import Settings
import Testing

/// A small random generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

struct MutationTests {
    /// Pieces that mean something to YAML or to us.
    private static let pieces = [
        "\n", "\r\n", "\t", " ", "  ", ":", ": ", "- ", "-", "?", "|", ">", "&a ", "*a", "!x ", "!!int ", "!!null ",
        "%", "@", "`",
        "{", "}", "[", "]", ",", "#", "\"", "'", "\\", "<<: *a", "---\n", "...\n", "~", "null", "${", "}", "$$",
        "${NONE}",
        "\u{0}", "\u{7}", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{E000}", "é", "東", "👩‍👩‍👧", "\u{301}", "type: ", "name: x\n",
        "0x", "1e9",
    ]

    @Test(arguments: 0..<20)
    func `a damaged file gives settings or problems inside the file`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<150 {
            let text = damaged(longConfiguration, using: &random)
            let loaded = load(text)
            #expect((loaded.settings == nil) == !loaded.problems.isEmpty)
            let lines = SettingsProblems.lines(of: text)
            for problem in loaded.problems {
                let rendered = problem.rendered()
                let isInside =
                    (1...max(lines.count, 1)).contains(problem.line) && problem.column >= 1
                    && (lines.isEmpty || problem.column <= lines[problem.line - 1].unicodeScalars.count + 1)
                #expect(isInside && !problem.message.isEmpty, "\(rendered)\n\(text)")
            }
        }
    }

    private func damaged(_ text: String, using random: inout SplitMix) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let start = Int.random(in: 0...scalars.count, using: &random)
            let end = min(
                scalars.count, start + Int.random(in: 0...(Bool.random(using: &random) ? 2 : 40), using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: scalars.removeSubrange(start..<end)
            case 1:
                scalars.insert(contentsOf: scalars[start..<end], at: Int.random(in: 0...scalars.count, using: &random))
            case 2: scalars.swapAt(min(start, scalars.count - 1), max(end - 1, 0))
            default:
                scalars.insert(contentsOf: (Self.pieces.randomElement(using: &random) ?? "").unicodeScalars, at: start)
            }
            if scalars.isEmpty { break }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
