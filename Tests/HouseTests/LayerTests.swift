// The floors of docs/architecture.md: who may import whom, where unsafe code may live.
import Foundation
import Testing

/// Which floor a target of ours stands on.
private let floors: [String: Int] = [
    "CZlib": 0, "CISAL": 0, "CSystemd": 0, "CPCRE2": 0, "CLinux": 0,
    "Bytes": 1, "Disk": 1, "Gzip": 1, "Journal": 1, "Patterns": 1,
    "Records": 2, "Telemetry": 2,
    "Store": 3, "NodeFiles": 3, "NodeJournal": 3, "Display": 3, "PodMetadata": 3, "HTTPTransport": 3,
    "Pipeline": 4, "Kubernetes": 4,
    "Plugins": 5, "Settings": 5, "Viewer": 5,
    "sluice": 6,
]

@Suite("floors")
struct LayerTests {
    /// The modules that a file imports, and where.
    private func imports(_ file: HouseFile) throws -> [(module: String, place: String)] {
        let code = file.code
        let pattern = try Regex<(Substring, Substring)>(
            "(?m)^[ \\t]*(?:@\\w+(?:\\([^)]*\\))?[ \\t]+)*(?:(?:public|package|internal|fileprivate|private)[ \\t]+)?"
                + "import[ \\t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \\t]+)?(\\w+)")
        return code.matches(of: pattern).map { (String($0.output.1), file.place($0.range.lowerBound, in: code)) }
    }

    /// Every place in a file's code that matches.
    private func places(_ pattern: String, in file: HouseFile) throws -> [String] {
        let code = file.code
        return code.matches(of: try Regex(pattern)).map { match in
            "\(file.place(match.range.lowerBound, in: code)): \(code[match.range].split(separator: "\n").last ?? "")"
        }
    }

    @Test func `every target has a floor`() throws {
        for file in try House.sources() { #expect(floors[file.target] != nil, "\(file)") }
        for target in floors.keys { #expect(House.exists("Sources/\(target)"), "\(target)") }
    }

    @Test func `imports go to a lower floor only`() throws {
        var seen = 0
        for file in try House.sources() {
            let floor = floors[file.target] ?? 0
            for (module, place) in try imports(file) {
                guard let other = floors[module] else { continue }
                seen += 1
                #expect(other < floor, "\(place): \(file.target) (floor \(floor)) imports \(module) (floor \(other))")
            }
        }
        #expect(seen > 100, "imports were not found")
    }

    @Test func `other people's packages stay where they belong`() throws {
        let homes: [String: Set<String>] = [
            "Yams": ["Settings"], "ArgumentParser": ["sluice"], "ServiceLifecycle": ["sluice", "Pipeline"],
            "UnixSignals": ["sluice"],
        ]
        for file in try House.sources() {
            for (module, place) in try imports(file) {
                if let home = homes[module] {
                    #expect(home.contains(file.target), "\(place): \(module) is for \(home)")
                }
                // Connections to web servers stand on a library that brings Foundation with it, and need its URLs.
                if module.hasPrefix("Foundation"), file.target != "HTTPTransport" {
                    #expect((floors[file.target] ?? 0) > 4, "\(place): no Foundation on floors 0 to 4")
                }
            }
        }
    }

    @Test func `unsafe code lives on floor 1 only`() throws {
        var unsafeOnFloorOne = 0
        for file in try House.sources() {
            let found =
                try places("\\bunsafe\\b", in: file) + places("@unchecked\\s+Sendable", in: file)
                + places("\\bnonisolated\\(unsafe\\)", in: file)
                + places("\\bUnsafe(Mutable)?(Raw)?(Buffer)?Pointer\\b", in: file)
            if floors[file.target] == 1 {
                unsafeOnFloorOne += found.count
            } else {
                #expect(found == [], "\(file.target) is not on floor 1")
            }
        }
        #expect(unsafeOnFloorOne > 50, "the search finds what is there")
    }

    @Test func `there are no unstructured tasks`() throws {
        for file in try House.sources() {
            let found = try places(
                "\\bTask(\\.detached\\b|\\.immediate\\b|\\s*\\{|\\s*\\(|\\s*<[^>]*>\\s*[({])", in: file)
            #expect(found == [])
        }
    }

    @Test func `tests see what other targets see`() throws {
        for file in try House.files(below: "Tests", ending: ".swift") {
            #expect(try places("@testable\\b", in: file) == [])
            #expect(try places("\\bimport\\s+XCTest\\b", in: file) == [])
        }
    }

    @Test func `code is told from comments and strings`() {
        let text = """
            let a = "unsafe \\("inner unsafe" + name)" // unsafe
            /* unsafe /* nested */ unsafe */ let b = #"unsafe "quoted" \\(no)"#
            let c = unsafe d
            """
        let code = SwiftCode.withoutCommentsAndStrings(text)
        #expect(code.matches(of: /\bunsafe\b/).count == 1)
        #expect(code.contains("name") && code.contains("let b") && code.contains("let c = unsafe d"))
        #expect(code.split(separator: "\n").count == 3)
    }
}
