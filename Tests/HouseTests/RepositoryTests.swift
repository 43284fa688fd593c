// What is in the repository, and what must not be.
import Foundation
import Testing

@Suite("repository")
struct RepositoryTests {
    @Test func `links between documents lead somewhere`() throws {
        let documents =
            try ["README.md", "CHANGELOG.md", "plugins.md", "samples/node/README.md"].filter(House.exists).map(
                House.file)
            + House.files(below: "docs", ending: ".md")
        #expect(documents.count > 4)
        for document in documents {
            let folder = document.path.split(separator: "/").dropLast().map(String.init)
            for link in document.text.matches(of: /\]\(([^)#\s]*)(?:#([^)\s]*))?\)/) {
                let target = String(link.output.1)
                let place = document.place(link.range.lowerBound, in: document.text)
                if target.contains("://") || target.hasPrefix("mailto:") { continue }
                var path = folder
                for part in target.split(separator: "/") {
                    if part == ".." { _ = path.popLast() } else if part != "." { path.append(String(part)) }
                }
                let resolved = target.isEmpty ? document.path : path.joined(separator: "/")
                #expect(House.exists(resolved), "\(place): \(target)")
                guard let anchor = link.output.2, resolved.hasSuffix(".md"), House.exists(resolved) else { continue }
                #expect(
                    anchors(of: try House.file(resolved)).contains(String(anchor)),
                    "\(place): #\(anchor) in \(resolved)")
            }
        }
    }

    /// The anchors that a page's headings get.
    private func anchors(of document: HouseFile) -> Set<String> {
        Set(
            document.text.matches(of: /(?m)^#+ (.+)$/).map { heading in
                heading.output.1.lowercased().replacing(" ", with: "-")
                    .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            })
    }

    @Test func `pages that comments and documents name exist`() throws {
        let files =
            try House.sources() + House.files(below: "docs", ending: ".md")
            + House.files(below: "samples", ending: ".yaml")
            + ["README.md", "plugins.md", "Package.swift", "Makefile", ".ci/run"].filter(House.exists).map(House.file)
        for file in files {
            for page in file.text.matches(of: /\bdocs\/[A-Za-z0-9_-]+\.md\b/) {
                let place = file.place(page.range.lowerBound, in: file.text)
                #expect(House.exists(String(page.output)), "\(place): \(page.output)")
            }
        }
    }

    @Test func `no tracked file holds the path of somebody's machine`() throws {
        // Put together here, so that this file does not hold them itself.
        let folders = ["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]", "Us" + "ers/[a-z]", "tm" + "p/h[0-9]"]
        let pattern = try Regex("(?m)(?:^|[\\s\"'`=(:,\\[])/(?:\(folders.joined(separator: "|")))(?:/|\\b)")
        for path in try House.tracked() where House.exists(path) && isText(path) {
            let file = try House.file(path)
            // Logs of a real node hold paths of that node's containers.
            if path.hasPrefix("samples/node/var/") { continue }
            for match in file.text.matches(of: pattern) {
                Issue.record("\(file.place(match.range.lowerBound, in: file.text)): \(file.text[match.range])")
            }
        }
    }

    private func isText(_ path: String) -> Bool {
        ![".gz", ".png", ".zip", ".bin"].contains { path.hasSuffix($0) }
    }

    @Test func `nothing that is made is tracked`() throws {
        let made = try House.tracked().filter { path in
            path.hasSuffix("Package.resolved") || path.hasPrefix(".build") || path.contains("__pycache__")
                || path.hasSuffix(".o")
        }
        #expect(made == [])
    }

    @Test func `every source file says at its top what it is for`() throws {
        for file in try House.sources() {
            #expect(file.text.hasPrefix("// ") || file.text.hasPrefix("/// "), "\(file)")
        }
    }
}
