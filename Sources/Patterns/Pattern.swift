// Regular expressions, compiled once. PCRE2 does it: its syntax is the one that people know, and its compiler makes machine code.
private import CPCRE2

/// Why a regular expression cannot be compiled.
package struct PatternError: Error, Hashable, CustomStringConvertible {
    /// What is wrong: "missing closing parenthesis".
    package let reason: String
    /// The byte of the pattern at which it was noticed; the pattern's length for its end.
    package let offset: Int

    package init(reason: String, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason), at byte \(offset)" }
}

/// How a regular expression is read.
package struct PatternOptions: OptionSet, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Capitals are the same as small letters, of every script: also `k` and the Kelvin sign, `s` and the long s.
    package static let ignoresCase = PatternOptions(rawValue: 1)
    /// `^` and `$` match at each line of a text rather than at its ends.
    package static let anchorsMatchLines = PatternOptions(rawValue: 2)
}

/// A compiled regular expression of PCRE2. It never changes, so threads may share it; each matches with a `PatternMatcher` of its own.
///
/// Texts are UTF-8 and matched by Unicode's characters and properties (`\w` has `é`). Bytes that are not UTF-8 match nothing, and are
/// not an error: what stands before and after them is matched. Lines end with LF, CR, or both; `.` does not match these unless `(?s)`
/// says so. `\C`, half a character, is refused.
@safe
package final class Pattern: @unchecked Sendable {
    /// The pattern as written.
    package let text: String
    /// How it was read.
    package let options: PatternOptions
    /// The names of its groups by their numbers; group 0 is the whole match. nil: the group has no name.
    package let groupNames: [String?]
    /// Whether it became machine code. Where the system forbids to make any, PCRE2 interprets it, at a tenth of the speed.
    package let isCompiledToMachineCode: Bool
    /// The compiled pattern; only to be read.
    let code: OpaquePointer

    /// Compiles a pattern. pcre2_compile, pcre2_jit_compile
    package init(_ text: String, _ options: PatternOptions = []) throws(PatternError) {
        self.text = text
        self.options = options
        unsafe code = try Pattern.compile(text, options)
        isCompiledToMachineCode = unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
        groupNames = unsafe Pattern.names(code)
    }

    deinit { unsafe pcre2_code_free_8(code) }

    /// The number of the first group with this name.
    package func group(named name: String) -> Int? { groupNames.firstIndex(of: name) }

    private static func compile(_ text: String, _ options: PatternOptions) throws(PatternError) -> OpaquePointer {
        var flags = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_MATCH_INVALID_UTF)
        flags |= UInt32(PCRE2_NEVER_BACKSLASH_C) | UInt32(PCRE2_USE_OFFSET_LIMIT)
        if options.contains(.ignoresCase) { flags |= UInt32(PCRE2_CASELESS) }
        if options.contains(.anchorsMatchLines) { flags |= UInt32(PCRE2_MULTILINE) }
        let context = unsafe pcre2_compile_context_create_8(nil)
        defer { unsafe pcre2_compile_context_free_8(context) }
        unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANYCRLF))
        var (problem, offset): (Int32, Int) = (0, 0)
        let bytes = Array(text.utf8)
        let code = unsafe bytes.withUnsafeBufferPointer {
            unsafe pcre2_compile_8($0.baseAddress, $0.count, flags, &problem, &offset, context)
        }
        guard let code = unsafe code else {
            throw PatternError(reason: words(for: problem), offset: min(offset, bytes.count))
        }
        return unsafe code
    }

    /// PCRE2's own words. pcre2_get_error_message
    private static func words(for problem: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe buffer.withUnsafeMutableBufferPointer {
            unsafe pcre2_get_error_message_8(problem, $0.baseAddress, $0.count)
        }
        return length > 0 ? String(decoding: buffer[..<Int(length)], as: UTF8.self) : "error \(problem)"
    }

    /// pcre2_pattern_info: PCRE2_INFO_NAMETABLE holds a number of two bytes and a name that ends with 0 for each named group.
    private static func names(_ code: OpaquePointer) -> [String?] {
        func number(_ what: Int32) -> Int {
            var value: UInt32 = 0
            unsafe pcre2_pattern_info_8(code, UInt32(what), &value)
            return Int(value)
        }
        var names = [String?](repeating: nil, count: number(PCRE2_INFO_CAPTURECOUNT) + 1)
        let (count, size) = (number(PCRE2_INFO_NAMECOUNT), number(PCRE2_INFO_NAMEENTRYSIZE))
        var table: UnsafePointer<UInt8>?
        unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table = unsafe table else { return names }
        for index in 0..<count {
            let entry = unsafe table + index * size
            let group = unsafe Int(entry[0]) << 8 | Int(entry[1])
            names[group] = unsafe String(cString: entry + 2)
        }
        return names
    }
}
