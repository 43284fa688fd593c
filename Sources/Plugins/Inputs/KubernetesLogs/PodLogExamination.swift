// What an operator should hear before any container's log is read: a folder of pods that is not there, or is another one.
import Disk
import NodeFiles
import Pipeline

/// A look at the folder in which the kubelet keeps the logs of pods.
struct PodLogExamination {
    /// Why there is no log to read, each as a sentence.
    let findings: [String]

    init(_ path: String) {
        findings = PodLogExamination.finding(path).map { [$0] } ?? []
    }

    private static func finding(_ path: String) -> String? {
        if let fault = FoundNames.faultOfFolder(path) { return fault }
        let names = ((try? Directory.list(path)) ?? []).map(\.name)
        // A node without any pod: they may come.
        if names.isEmpty || names.contains(where: { PodFolder($0) != nil }) { return nil }
        let isPod = PodFolder(Path.name(path)) != nil
        let meant = isPod ? Path.parent(path) : names.sorted().map { "\(path)/\($0)" }.first(where: holdsPods)
        return "in \(path) there is no pod's folder (<namespace>_<pod>_<uid>)\(FoundNames.question(meant)); "
            + FoundNames.words(path)
    }

    private static func holdsPods(_ folder: String) -> Bool {
        ((try? Directory.list(folder)) ?? []).contains { PodFolder($0.name) != nil }
    }
}
