// Times in file names, as strftime(3) writes them.
import Bytes
import Disk
package import Pipeline

/// The conversions that make sense in a file's name.
package enum TimePattern {
    /// Fills the local time into a path: `%Y %m %d %H %M %S %j`, `%%`.
    package static func fill(_ pattern: String, at nanoseconds: Int64) -> String {
        guard pattern.contains("%") else { return pattern }
        let offset = Int64(Machine.localOffset(at: nanoseconds / 1_000_000_000)) * 1_000_000_000
        let time = CivilTime(nanoseconds: nanoseconds + offset)
        var text = ""
        var isConversion = false
        for character in pattern {
            guard isConversion else {
                if character == "%" { isConversion = true } else { text.append(character) }
                continue
            }
            isConversion = false
            switch character {
            case "Y": text += digits(time.date.year, 4)
            case "m": text += digits(time.date.month, 2)
            case "d": text += digits(time.date.day, 2)
            case "H": text += digits(time.hour, 2)
            case "M": text += digits(time.minute, 2)
            case "S": text += digits(time.second, 2)
            case "j": text += digits(time.date.dayOfYear, 3)
            default: text.append(character)
            }
        }
        return text
    }

    /// The first conversion that is not known; "" for a percent sign at the very end.
    package static func unknownConversion(in pattern: String) -> String? {
        var isConversion = false
        for character in pattern {
            if isConversion {
                guard "YmdHMSj%".contains(character) else { return String(character) }
                isConversion = false
            } else {
                isConversion = character == "%"
            }
        }
        return isConversion ? "" : nil
    }

    /// What each byte of a path with this pattern may be, as far as a conversion says.
    static func bytes(of pattern: Substring) -> [ClosedRange<UInt8>] {
        var bytes: [ClosedRange<UInt8>] = []
        var isConversion = false
        func digits(_ most: UInt8...) -> [ClosedRange<UInt8>] {
            most.map { UInt8(ascii: "0")...($0 + UInt8(ascii: "0")) }
        }
        for byte in pattern.utf8 {
            guard isConversion else {
                if byte == UInt8(ascii: "%") { isConversion = true } else { bytes.append(byte...byte) }
                continue
            }
            isConversion = false
            switch byte {
            case UInt8(ascii: "Y"): bytes += digits(9, 9, 9, 9)
            case UInt8(ascii: "m"): bytes += digits(1, 9)
            case UInt8(ascii: "d"): bytes += digits(3, 9)
            case UInt8(ascii: "H"): bytes += digits(2, 9)
            case UInt8(ascii: "M"), UInt8(ascii: "S"): bytes += digits(5, 9)
            case UInt8(ascii: "j"): bytes += digits(3, 9, 9)
            default: bytes.append(byte...byte)
            }
        }
        return bytes
    }

    /// All files that a pattern leads to, those that were begun because one was full included.
    package static func written(_ pattern: String) -> UsedFiles.Written {
        let present = fill(pattern, at: SystemClock.realtime)
        // Each conversion is a number of so many digits; a year from now its name has another one.
        let days = [1, 31, 366].map { fill(pattern, at: SystemClock.realtime + $0 * 86_400_000_000_000) }
        let paths = (days + ["0", "1", "9"].map { fillDigits(pattern, $0) })
        return UsedFiles.Written(
            examples: ([present] + paths).flatMap { [$0, $0 + ".0001", $0 + ".1"] },
            glob: fillDigits(pattern, "*") + "*")
    }

    /// Fills in the same digit everywhere, or one `*` for each conversion.
    private static func fillDigits(_ pattern: String, _ digit: String) -> String {
        var text = ""
        var isConversion = false
        for character in pattern {
            guard isConversion else {
                if character == "%" { isConversion = true } else { text.append(character) }
                continue
            }
            isConversion = false
            let count = character == "Y" ? 4 : character == "j" ? 3 : 2
            text += character == "%" ? "%" : digit == "*" ? digit : String(repeating: digit, count: count)
        }
        return text
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
