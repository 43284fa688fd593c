// Addresses as values: every spelling, and what is none.
import HTTPTransport
import Testing

@Suite struct `IP addresses` {
    @Test(
        arguments: [
            ("::1", "0:0:0:0:0:0:0:1"), ("fd00::5", "FD00:0:0::0005"), ("::", "0::0"), ("1::", "1:0:0:0:0:0:0:0"),
            ("::ffff:10.0.0.1", "10.0.0.1"), ("::ffff:0a00:0001", "10.0.0.1"), ("fe80::1%eth0", "fe80::1"),
            ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ])
    func `spellings of one address are equal`(one: String, other: String) throws {
        #expect(try #require(IPAddress(one)) == #require(IPAddress(other)))
    }

    @Test(
        arguments: [
            "", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.-4", "+1.2.3.4", "127.1", ":", ":::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3", "1.2.3.4::", "[::1]",
            "1:2:3:4:5:6:7:8::",
            "::-1", "\u{661}.1.1.1",
        ])
    func `what is no address`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `loopback`() {
        #expect(["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"].allSatisfy { IPAddress($0)?.isLoopback == true })
        #expect(["128.0.0.1", "::", "::2", "1::1"].allSatisfy { IPAddress($0)?.isLoopback == false })
    }
}
