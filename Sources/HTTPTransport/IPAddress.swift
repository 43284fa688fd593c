// IP addresses and networks as values: written in many ways, equal when they mean the same.

/// An IPv4 or an IPv6 address.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in the order of the network. An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) has 4.
    package let bytes: [UInt8]

    /// Takes an address from the bytes of a certificate; nil when they are neither 4 nor 16.
    package init?(bytes: [UInt8]) {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16: self.bytes = bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
        default: return nil
        }
    }

    /// Reads an address in any of its spellings, without brackets; nil when it is none, as inet_pton(3) sees it. The zone of an
    /// IPv6 address (`%eth0`) is left out.
    package init?(_ text: some StringProtocol) {
        let text = Substring(text)
        let bytes = text.contains(":") ? Self.sixteen(text.prefix { $0 != "%" }) : Self.four(text)
        guard let bytes, let address = IPAddress(bytes: bytes) else { return nil }
        self = address
    }

    /// Whether it is this machine: `127.0.0.0/8` or `::1`.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }

    /// `10.0.0.1`: four numbers without leading zeros.
    private static func four(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } && (part.count == 1 || part.first != "0")
                ? UInt8(part) : nil
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// `fd00::5`, `::ffff:10.0.0.1`: eight groups, of which one run may be left out, and the last two may be written as IPv4.
    private static func sixteen(_ text: Substring) -> [UInt8]? {
        guard let gap = text.firstRange(of: "::") else {
            return groups(text, mayEndWithFour: true).flatMap { $0.count == 16 ? $0 : nil }
        }
        let (front, back) = (text[..<gap.lowerBound], text[gap.upperBound...])
        guard let head = front.isEmpty ? [] : groups(front, mayEndWithFour: false),
            let tail = back.isEmpty ? [] : groups(back, mayEndWithFour: true), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring, mayEndWithFour: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndWithFour, index == parts.count - 1, part.contains(".") {
                guard let four = four(part) else { return nil }
                bytes += four
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
            }
        }
        return bytes
    }
}

/// `10.0.0.0/8` or `fd00::/8`.
struct IPNetwork {
    private let base: IPAddress
    private let bits: Int

    /// Reads a network; nil when it is none.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = IPAddress(parts[0]), let bits = Int(parts[1]), bits >= 0,
            bits <= base.bytes.count * 8
        else { return nil }
        self.base = base
        self.bits = bits
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in
            (address.bytes[bit / 8] ^ base.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}
