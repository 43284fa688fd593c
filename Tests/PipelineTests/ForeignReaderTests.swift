// Request bodies read by other people's programs: many servers read the first gzip member of a body and nothing else.
import Disk
import Pipeline
import Store
import TestKit
import Testing

/// A program that reads one gzip member from a file and prints its text's size and its MD5; nothing when bytes are left over.
private struct ForeignReader: CustomTestStringConvertible, Sendable {
    let name: String
    let command: [String]
    /// The name and the text of a source file that the command needs.
    var source: (name: String, text: String)?

    var testDescription: String { name }
    var isHere: Bool { (try? ChildProcess.run("sh", "-c", "command -v \(command[0])").status) == 0 }

    static let all = [
        ForeignReader(
            name: "Python's zlib",
            command: [
                "python3", "-c",
                """
                import sys, zlib, hashlib
                body = open(sys.argv[1], "rb").read()
                member = zlib.decompressobj(31)
                text = member.decompress(body)
                if member.eof and not member.unused_data: print(len(text), hashlib.md5(text).hexdigest())
                """,
            ]),
        ForeignReader(
            name: "Node",
            command: [
                "node", "-e",
                """
                const fs = require("fs"), zlib = require("zlib"), crypto = require("crypto");
                const inflate = zlib.createGunzip(), body = fs.readFileSync(process.argv[1]), parts = [];
                inflate.on("data", (part) => parts.push(part)).on("end", () => {
                  const text = Buffer.concat(parts);
                  if (inflate.bytesWritten === body.length)
                    console.log(text.length, crypto.createHash("md5").update(text).digest("hex"));
                });
                inflate.end(body);
                """,
            ]),
        ForeignReader(
            name: "Java's GZIPInputStream", command: ["java", "Gunzip.java"],
            source: (
                "Gunzip.java",
                """
                import java.io.*;
                import java.nio.file.*;
                import java.security.*;
                import java.util.*;
                import java.util.zip.*;
                class Gunzip {
                    public static void main(String[] arguments) throws Exception {
                        var body = new ByteArrayInputStream(Files.readAllBytes(Path.of(arguments[0])));
                        var text = new GZIPInputStream(body).readAllBytes();
                        var digest = HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(text));
                        if (body.available() == 0) System.out.println(text.length + " " + digest);
                    }
                }
                """
            )),
    ]
}

@Suite(.timeLimit(.minutes(2))) struct `Bodies for other readers` {
    @Test(arguments: ForeignReader.all)
    fileprivate func `a body of many chunks is one member`(reader: ForeignReader) throws {
        // What is not on a machine is not asked; Python is wherever the tests are.
        guard reader.isHere else {
            #expect(reader.command[0] != "python3")
            return
        }
        let scratch = try ScratchDirectory()
        let chunks = (0..<400).map { chunk in (0..<20).map { noise(chunk * 20 + $0, bytes: 50 + chunk % 7) } }
        let source = try RequestSource(chunks)
        var command = reader.command
        if let program = reader.source { command[1] = try scratch.write(program.name, program.text) }
        // Whole chunks only, and one that begins and ends inside of chunks.
        for (first, last) in [(1, 8000), (7, 7_993)] as [(UInt64, UInt64)] {
            let text = source.lines[Int(first - 1)..<Int(last)].map { $0 + "\n" }.joined()
            let plain = try scratch.write("text", text)
            let sum = try ChildProcess.run("md5sum", plain).output.prefix(32)
            let body = try scratch.write("body.gz", source.request(first, last).gzipBody())
            let read = try ChildProcess(command + [body]).finish()
            #expect(
                String(decoding: read.output, as: UTF8.self)
                    == "\(text.utf8.count) \(String(decoding: sum, as: UTF8.self))\n")
        }
    }
}
