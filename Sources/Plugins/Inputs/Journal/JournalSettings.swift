// What can be set of the input `journal`. The table is in plugins.md.
import Bytes
import Journal
import NodeJournal
package import Pipeline
import Records

/// The settings of the input `journal`.
package struct JournalSettings: PluginSettings {
    /// Folders or files; empty: where this machine has its journals.
    let paths: [String]
    /// Which of journald's namespaces are read beside the journal; nil: nothing is said of them.
    let namespaces: [Glob]?
    let selection: JournalSelection
    let start: JournalStart
    let fields: JournalFields
    /// Bytes of a field that are kept.
    let maxField: ByteSize
    let json: JSONMode

    package init(from fields: inout Fields) {
        if !JournalReader.isBuiltIn {
            fields.refuse(
                "type", "this program was built without libsystemd and cannot read journals",
                hint: "build it with the package trait Journald, which is on by default")
        }
        paths = JournalSettings.paths(from: &fields)
        namespaces = fields.has("namespaces") ? fields.list("namespaces", of: Glob.self) : nil
        selection = JournalSettings.selection(from: &fields)
        start = fields.value("start_at", default: StartSetting(start: .ago(3_600_000_000_000))).start
        self.fields = JournalSettings.fields(from: &fields)
        maxField = fields.value("max_field", default: .mebibytes(1), atLeast: .kibibytes(1), atMost: .mebibytes(8))
        json = fields.value("json", default: .merge)
    }

    private static func paths(from fields: inout Fields) -> [String] {
        let one = fields.optional("path", as: String.self)
        let many = fields.list("paths", of: String.self)
        if one != nil, fields.has("paths") { fields.refuse("paths", "stands beside 'path', keep one of them") }
        if fields.has("paths"), many.isEmpty { fields.refuse("paths", "names no folder and no file") }
        let paths = one.map { [$0] } ?? many
        for path in paths where !path.hasPrefix("/") && path.isEmpty {
            fields.refuse(one == nil ? "paths" : "path", "is empty, expected a folder with journal files")
        }
        return paths
    }

    private static func selection(from fields: inout Fields) -> JournalSelection {
        var selection = JournalSelection()
        selection.units = fields.list("units", of: UnitSetting.self).map(\.glob)
        selection.identifiers = fields.list("identifiers", of: Glob.self)
        selection.priorities = fields.optional("priority", as: PrioritySetting.self)?.range
        selection.matches = fields.table("matches", of: MatchSetting.self, refusingNames: fault(ofField:))
            .map { ($0.name, $0.value.values) }
        selection.kernel = fields.optional("kernel", as: Bool.self)
        selection.audit = fields.value("audit", default: false)
        return selection
    }

    private static func fields(from fields: inout Fields) -> JournalFields {
        guard fields.has("fields") else { return .these(JournalFields.standard) }
        let names = fields.list("fields", of: FieldSetting.self).map(\.name)
        if names.contains("all") {
            if names.count > 1 { fields.refuse("fields", "has other names beside 'all'") }
            return .all
        }
        var chosen: [String] = []
        for name in names.flatMap({ $0 == "default" ? JournalFields.standard : [$0] }) where !chosen.contains(name) {
            chosen.append(name)
        }
        return .these(chosen)
    }

    /// What is wrong with the name of a field; nil when nothing is. systemd.journal-fields(7)
    fileprivate static func fault(ofField name: String) -> String? {
        let isAllowed = name.utf8.allSatisfy { byte in
            (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
        guard !name.isEmpty, isAllowed, name.utf8.count <= 64, !name.hasPrefix("__") else {
            return
                "\(name.quotedForMessage) is not a journal field's name: capitals, digits and underscores, such as _SYSTEMD_UNIT"
        }
        return nil
    }
}

/// A unit's name or glob; `kubelet` means `kubelet.service`, as for `journalctl -u`.
private struct UnitSetting: TextSettingValue {
    static var expectation: String { "a unit such as kubelet.service, or a glob such as containerd*" }
    private static let suffixes = [
        ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice",
        ".scope",
    ]
    let glob: Glob

    init(text: String) throws(SettingMisfit) {
        let glob = try Glob(text: text)
        let isWhole = !glob.isLiteral || UnitSetting.suffixes.contains { text.hasSuffix($0) }
        self.glob = isWhole ? glob : try Glob(text: text + ".service")
    }
}

/// `err` and all that is worse, `warning..err`, or the same with numbers.
struct PrioritySetting: TextSettingValue {
    static var expectation: String { "a priority such as err, a range such as warning..err, or numbers from 0 to 7" }
    let range: ClosedRange<Int>

    init(text: String) throws(SettingMisfit) {
        let ends = text.split(separator: "..", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = PrioritySetting.number(ends.count == 1 ? "emerg" : ends[0]),
            let last = PrioritySetting.number(ends[ends.count - 1])
        else {
            throw .text(
                "is not a priority",
                hint:
                    "write one of emerg, alert, crit, err, warning, notice, info, debug, a range of two of them, or numbers from 0 to 7"
            )
        }
        range = min(first, last)...max(first, last)
    }

    private static func number(_ text: String) -> Int? {
        if let number = Int(text) { return (0...7).contains(number) ? number : nil }
        return Severity(named: text.utf8.span)?.syslogNumber
    }
}

/// The values of one field, any of them.
private struct MatchSetting: SettingValue {
    static var expectation: String { "a value or a list of values" }
    let values: [[UInt8]]

    init(_ node: SettingsNode) throws(SettingMisfit) {
        switch node.content {
        case .list(let items):
            var values: [[UInt8]] = []
            for item in items { values.append(Array(try String(item).utf8)) }
            guard !values.isEmpty else { throw SettingMisfit("the list is empty, nothing would match") }
            self.values = values
        default: values = [Array(try String(node).utf8)]
        }
    }
}

/// A field's name, `all` or `default`.
private struct FieldSetting: TextSettingValue {
    static var expectation: String { "all, default, or the name of a journal field" }
    let name: String

    init(text: String) throws(SettingMisfit) {
        if text != "all", text != "default", JournalSettings.fault(ofField: text) != nil {
            throw .text(
                "is not a journal field's name",
                hint: "capitals, digits and underscores, such as _HOSTNAME; default for the usual ones, all for all")
        }
        name = text
    }
}

/// Where to begin.
private struct StartSetting: TextSettingValue {
    static var expectation: String { "beginning, end, boot, or how long ago, such as 1h" }
    let start: JournalStart

    init(start: JournalStart) { self.start = start }

    init(text: String) throws(SettingMisfit) {
        switch text {
        case "beginning": start = .beginning
        case "end": start = .end
        case "boot": start = .boot
        default:
            do throws(SettingMisfit) {
                start = .ago(Int64(try Interval(text: text).nanoseconds))
            } catch {
                throw .text("is not a place to begin at", hint: "write beginning, end, boot, or a time such as 1h")
            }
        }
    }
}
