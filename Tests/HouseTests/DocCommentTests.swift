// Doc comments on everything that one floor offers to the others.
import Foundation
import Testing

@Suite("doc comments")
struct DocCommentTests {
    private static let documented = [
        "Bytes", "Disk", "Gzip", "Journal", "Patterns", "Records", "Telemetry", "Store", "NodeFiles", "NodeJournal",
        "Display",
        "PodMetadata", "HTTPTransport", "Kubernetes",
        "Pipeline",
        "Viewer",
    ]

    /// What a protocol asks for is documented there, and what a name alone says needs no words.
    private static let selfEvident =
        "\\b(var (description|expectation|isSecret|level|message|details|counter|amount)\\b|func (< |== |enqueue\\(|log\\(event)|subscript\\(metadataKey|init\\(|let rawValue\\b)"

    @Test(arguments: documented) func `whatever other targets can see has a doc comment`(target: String) throws {
        for file in try House.files(below: "Sources/\(target)", ending: ".swift") {
            let offenders = try undocumented(file)
            #expect(offenders == [], "\(offenders.count) without a doc comment")
        }
    }

    /// Declarations without a comment. A run of one-line declarations shares the comment above it; initializers that only
    /// take over what they are given, and what an extension does for a protocol, need none.
    private func undocumented(_ file: HouseFile) throws -> [String] {
        let declaration = try Regex(
            "^\\s*(@\\w+(\\([^)]*\\))?\\s+)*(package|public)\\b.*\\b(func|init|struct|enum|class|protocol|var|let|subscript|typealias|actor)\\b"
        )
        let attribute = try Regex("^\\s*(@\\w+(\\([^)]*\\))?\\s*)+$|^\\s*#(if|else|elseif|endif)")
        let selfEvident = try Regex(Self.selfEvident)
        var offenders: [String] = []
        var isConformance = false
        var isCovered = false
        var previousIsOneLiner = false
        var comment = false
        for (index, line) in file.lines.enumerated() {
            if line.contains(/^\S.*\b(extension|struct|class|enum)\b.*\{/) {
                isConformance =
                    line.contains(/^(package |public |private )?extension [^:{]+:/)
                    || line.contains(/\b(struct|class) LocalFileSystem\b/)
            }
            if line.contains(/^\s*\/\/\//) {
                comment = true
                continue
            }
            if line.contains(attribute) { continue }
            if line.contains(declaration) {
                let isOneLiner = !line.hasSuffix("{") && !line.hasSuffix("(") && !line.hasSuffix(",")
                let sharesComment = isOneLiner && previousIsOneLiner && isCovered
                isCovered = comment || sharesComment || isConformance || line.contains(selfEvident)
                previousIsOneLiner = isOneLiner
                if !isCovered {
                    offenders.append("\(file.path):\(index + 1): \(line.trimmingCharacters(in: .whitespaces))")
                }
            } else {
                previousIsOneLiner = false
            }
            comment = false
        }
        return offenders
    }
}
