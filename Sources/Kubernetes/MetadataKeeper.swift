// metadata.json: what is known of pods, kept for the next start.
internal import Disk
internal import PodMetadata
internal import Telemetry

/// Saves what the directory knows, soon after it has changed, but not often.
struct MetadataKeeper: Sendable {
    /// How often is saved.
    struct Timing: Sendable {
        /// From a change until it is saved; what changes with it is saved with it.
        var delay: Duration = .seconds(5)
        /// From one time to the next.
        var distance: Duration = .seconds(10)
    }

    /// With less space than this left on its disk, nothing is saved.
    private static let leastFree: UInt64 = 8 << 20

    let path: String
    let node: String
    let directory: PodDirectory
    let fileSystem: any FileSystem
    let telemetry: Telemetry
    let timing: Timing
    /// Set off when the directory may have changed.
    let alarm: Alarm

    /// Runs until the task is cancelled, and saves once more then.
    func run() async {
        // What was restored is in the file already.
        var saved: MetadataFile? = directory.file(node: node)
        var fails = false
        while !Task.isCancelled {
            if fails {
                try? await Task.sleep(for: timing.distance)
            } else {
                await alarm.wait(for: nil)
                try? await Task.sleep(for: timing.delay)
            }
            guard !Task.isCancelled, save(unless: &saved, &fails), !fails else { continue }
            try? await Task.sleep(for: max(.zero, timing.distance - timing.delay))
        }
        _ = save(unless: &saved, &fails)
    }

    /// Saves when there is something to save. Returns whether there was.
    private func save(unless saved: inout MetadataFile?, _ fails: inout Bool) -> Bool {
        let file = directory.file(node: node)
        guard file != saved else {
            fails = false
            return false
        }
        do throws(DiskError) {
            let folder = Path.parent(path)
            try fileSystem.makeFolder(folder)
            // The last bit of a full disk is the store's: records before metadata.
            guard try fileSystem.freeSpace(folder) >= MetadataKeeper.leastFree else {
                throw DiskError.full("write", path)
            }
            var dated = file
            dated.saved = SystemClock.realtime
            try dated.write(path, fileSystem: fileSystem)
            saved = file
            if fails { telemetry.tell(KubernetesEvent.savesAgain(path: path)) }
            fails = false
        } catch {
            telemetry.tell(KubernetesEvent.cannotSave(path: path, reason: error.description, isNews: !fails))
            fails = true
        }
        return true
    }

    /// Puts into the directory what was known at the last stop. A file that is damaged is told of and set aside.
    static func restore(
        _ path: String, node: String, into directory: PodDirectory, fileSystem: any FileSystem, telemetry: Telemetry
    ) {
        do {
            guard let file = try MetadataFile.read(path) else { return }
            guard file.node == node else {
                return telemetry.tell(KubernetesEvent.otherNode(path: path, node: file.node))
            }
            directory.restore(file)
            telemetry.tell(KubernetesEvent.restored(path: path, pods: file.pods.count))
            if file.damaged > 0 { telemetry.tell(KubernetesEvent.filePartlyDamaged(path: path, parts: file.damaged)) }
        } catch let error as DiskError {
            telemetry.tell(KubernetesEvent.fileUnreadable(path: path, reason: error.description))
        } catch {
            try? fileSystem.rename(path, to: path + ".damaged")
            telemetry.tell(KubernetesEvent.fileDamaged(path: path, reason: "\(error)"))
        }
    }
}
