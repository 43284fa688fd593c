// The repository as these tests see it: its files, its Swift code without comments and strings.
import Foundation
import TestKit

/// A file of the repository.
struct HouseFile: CustomStringConvertible {
    /// Relative to the repository.
    let path: String
    let text: String
    /// The code: comments are gone, strings are empty, line numbers stay. Empty when it is not Swift.
    let code: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = path.hasSuffix(".swift") ? SwiftCode.withoutCommentsAndStrings(text) : ""
    }

    var description: String { path }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// The target a source file belongs to: `Sources/<target>/...`.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Where an offset of the text or the code is: `Sources/Store/Store.swift:12`.
    func place(_ index: String.Index, in text: String) -> String {
        "\(path):\(1 + text[..<index].utf8.count { $0 == UInt8(ascii: "\n") })"
    }
}

enum House {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What git tracks; nothing in a copy without its history.
    static func tracked() throws -> [String] {
        let git = try ChildProcess.run("git", "-C", root.path(percentEncoded: false), "ls-files")
        guard git.status == 0 else { return [] }
        return String(decoding: git.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A file, by its path in the repository.
    static func file(_ path: String) throws -> HouseFile {
        HouseFile(path: path, text: String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self))
    }

    /// All files below a folder whose names end so, sorted.
    static func files(below folder: String, ending: String) throws -> [HouseFile] {
        let base = root.appending(path: folder).path(percentEncoded: false)
        let names = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(ending) }.sorted().map { try file("\(folder)/\($0)") }
    }

    static func sources() throws -> [HouseFile] { try allSources.get() }

    private static let allSources = Result { try files(below: "Sources", ending: ".swift") }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path(percentEncoded: false))
    }
}

/// As much of Swift's grammar as it takes to tell code from comments and strings.
enum SwiftCode {
    static func withoutCommentsAndStrings(_ text: String) -> String {
        var stripper = Stripper(input: Array(text.utf8))
        stripper.code(untilParenthesis: false)
        return String(decoding: stripper.output, as: UTF8.self)
    }

    private struct Stripper {
        let input: [UInt8]
        var output: [UInt8] = []
        var at = 0

        /// Whether these two bytes come next.
        func isNext(_ first: Character, _ second: Character) -> Bool {
            at + 1 < input.count && input[at] == first.asciiValue && input[at + 1] == second.asciiValue
        }

        /// Copies code to the end, or to the parenthesis that ends an interpolation.
        mutating func code(untilParenthesis: Bool) {
            var depth = 0
            while at < input.count {
                if isNext("/", "/") {
                    while at < input.count, input[at] != UInt8(ascii: "\n") { at += 1 }
                } else if isNext("/", "*") {
                    comment()
                } else if let hashes = stringStart() {
                    string(hashes: hashes)
                } else {
                    if input[at] == UInt8(ascii: "(") { depth += 1 }
                    if input[at] == UInt8(ascii: ")") {
                        if untilParenthesis, depth == 0 { return }
                        depth -= 1
                    }
                    output.append(input[at])
                    at += 1
                }
            }
        }

        mutating func comment() {
            var depth = 0
            while at < input.count {
                if isNext("/", "*") {
                    depth += 1
                    at += 2
                } else if isNext("*", "/") {
                    depth -= 1
                    at += 2
                    if depth == 0 { return }
                } else {
                    if input[at] == UInt8(ascii: "\n") { output.append(input[at]) }
                    at += 1
                }
            }
        }

        /// How many `#` stand before a string that begins here; nil when none begins.
        func stringStart() -> Int? {
            var hashes = 0
            while at + hashes < input.count, input[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
            return at + hashes < input.count && input[at + hashes] == UInt8(ascii: "\"") ? hashes : nil
        }

        mutating func string(hashes: Int) {
            at += hashes
            let isLong = isNext("\"", "\"") && input.dropFirst(at + 2).first == UInt8(ascii: "\"")
            let quotes = isLong ? 3 : 1
            at += quotes
            output.append(contentsOf: "\"\"".utf8)
            while at < input.count {
                let rest = input[at...]
                if rest.first == UInt8(ascii: "\\"),
                    rest.dropFirst().prefix(hashes).allSatisfy({ $0 == UInt8(ascii: "#") })
                {
                    at += 1 + hashes
                    if at < input.count, input[at] == UInt8(ascii: "(") {
                        at += 1
                        output.append(UInt8(ascii: " "))
                        code(untilParenthesis: true)
                        output.append(UInt8(ascii: " "))
                    }
                    at += 1
                } else if rest.prefix(quotes).allSatisfy({ $0 == UInt8(ascii: "\"") }), rest.count >= quotes + hashes,
                    rest.dropFirst(quotes).prefix(hashes).allSatisfy({ $0 == UInt8(ascii: "#") })
                {
                    at += quotes + hashes
                    return
                } else {
                    if rest.first == UInt8(ascii: "\n") { output.append(UInt8(ascii: "\n")) }
                    at += 1
                }
            }
        }
    }
}
