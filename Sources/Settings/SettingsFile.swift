// From a file's text to checked settings or to everything that is wrong with it: what `run` and `validate` both call.
import Disk
import Foundation
package import Pipeline

/// Reads configuration files.
package enum SettingsFile {
    /// What came of reading a file: settings, or the reasons why there are none.
    package struct Loaded: Sendable {
        /// The settings; nil when there is any problem.
        package let settings: AgentSettings?
        /// All problems in the order of the file, up to a hundred.
        package let problems: [SettingsProblem]
        /// How many more there are.
        package var untold = 0
        /// What is not right though the agent can run with it.
        package var findings: [SettingsProblem] = []
    }

    /// No configuration is larger: Kubernetes' ConfigMaps end at 1 MiB.
    private static let longestFile = 4 << 20

    /// Why a file cannot be read.
    package struct Unreadable: Error {
        /// The reason in words: "no such file".
        package let reason: String

        /// Creates a reason.
        package init(_ reason: String) { self.reason = reason }
    }

    /// Reads and checks the file at `path`.
    ///
    /// - Parameters:
    ///   - path: the file, shown in messages as given.
    ///   - registry: the plugins there are.
    ///   - dataDirectory: what takes the place of `data_dir`.
    ///   - environment: the value of a variable, for `${NAME}`.
    ///   - readFile: the contents of a file: of this one, and for `${file:/path}`.
    package static func load(
        path: String, registry: Registry, dataDirectory: String? = nil,
        environment: @escaping (String) -> String? = variable,
        readFile: @escaping (String) throws(Unreadable) -> [UInt8] = contents
    ) -> Loaded {
        let bytes: [UInt8]
        do throws(Unreadable) {
            bytes = try readFile(path)
        } catch {
            let origin = SettingsOrigin(file: path, path: "", mark: nil, excerpt: nil)
            return Loaded(settings: nil, problems: [origin.problem("cannot be read: \(error.reason)")])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let repaired = String(decoding: bytes, as: UTF8.self)
            let problems = SettingsProblems(file: path, text: repaired)
            let mark = YAMLSyntax.mark(ofFirst: "\u{FFFD}", in: repaired)
            for secret in LikelySecrets.marks(inLine: mark.line, of: SettingsProblems.lines(of: repaired)) {
                problems.hide(secret)
            }
            problems.report(at: mark, path: "", "this is not UTF-8 text", hint: "save it as UTF-8")
            return Loaded(settings: nil, problems: problems.sorted)
        }
        return load(
            text: text, fileName: path, registry: registry, dataDirectory: dataDirectory, environment: environment,
            readFile: readFile)
    }

    /// Checks a configuration that is at hand as text; `fileName` is only shown.
    package static func load(
        text: String, fileName: String, registry: Registry, dataDirectory: String? = nil,
        environment: @escaping (String) -> String? = variable,
        readFile: @escaping (String) throws(Unreadable) -> [UInt8] = contents
    ) -> Loaded {
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        let problems = SettingsProblems(file: fileName, text: text)
        let expansion = Expansion(environment: environment, readFile: readFile)
        let settings = YAMLTree.read(text, as: .configuration(expansion), problems: problems)
            .map { check($0, registry: registry, dataDirectory: dataDirectory, problems: problems) }
        guard problems.isEmpty, let settings else {
            return Loaded(settings: nil, problems: problems.sorted, untold: problems.untold)
        }
        return Loaded(settings: settings, problems: [], findings: OwnFilesCheck(settings).findings)
    }

    private static func check(
        _ root: SettingsNode, registry: Registry, dataDirectory: String?, problems: SettingsProblems
    ) -> AgentSettings {
        var fields = Fields(root, path: "", problems: problems)
        var settings = AgentSettings(from: &fields, registry: registry)
        if let dataDirectory { settings.dataDirectory = dataDirectory }
        fields.finish()
        OwnFilesCheck(settings).report(to: problems)
        return settings
    }

    /// The value of a variable of this process's environment.
    package static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name]
    }

    /// The contents of a file on disk.
    ///
    /// - Throws: `Unreadable` with the reason in words.
    package static func contents(of path: String) throws(Unreadable) -> [UInt8] {
        if let size = Directory.status(path)?.size, size > longestFile {
            throw Unreadable("it is larger than \(longestFile >> 20) MiB")
        }
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let error as CocoaError {
            switch (error.code, (error.underlying as? POSIXError)?.code) {
            case (.fileReadNoSuchFile, _), (.fileNoSuchFile, _): throw Unreadable("no such file")
            case (.fileReadNoPermission, _): throw Unreadable("permission denied")
            case (_, .EISDIR?): throw Unreadable("it is a folder")
            default: throw Unreadable(error.localizedDescription)
            }
        } catch {
            throw Unreadable(error.localizedDescription)
        }
    }
}
