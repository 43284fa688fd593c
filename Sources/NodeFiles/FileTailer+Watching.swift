// How a tailer learns of changes: through inotify, or by looking each second while inotify has no room.
import Disk
import Telemetry

extension FileTailer {
    /// The descriptor that can be read when something happened; nil without inotify. Another one may take its place:
    /// `watchGeneration` tells.
    package var watchDescriptor: Int32? { watcher?.file.descriptor }

    /// Whether changes are noticed only by looking.
    package var hasNoWatch: Bool { watcher == nil }

    /// How long to wait between two looks at everything, nanoseconds: without events each second, with them once a
    /// minute, as a safety net.
    package var lookInterval: Int64 { hasNoWatch ? 1_000_000_000 : FileTailer.slowInterval }

    private static let slowInterval: Int64 = 60_000_000_000

    /// Begins to watch. What was watched before is not watched any more.
    func beginWatching() {
        guard !options.once, options.watches else { return }
        do throws(DiskError) {
            watcher = try Watcher()
            watchGeneration += 1
        } catch {
            noteNoWatch(error)
        }
    }

    /// While inotify had no room: tries once a minute whether there is some now.
    func retryWatching(now: Int64) {
        guard hasNoWatch, !options.once, options.watches, now >= nextWatchTry else { return }
        nextWatchTry = now + FileTailer.slowInterval
        beginWatching()
    }

    /// A look at everything is over, in which all was watched that is to be watched.
    func noteLookEnded() {
        guard isShortOfWatches, !hasNoWatch else { return }
        isShortOfWatches = false
        telemetry.tell(FileEvent.watchAgain)
    }

    /// Watches a folder's names; nil when that is not possible.
    func watchFolder(_ path: String) -> Int32? {
        guard watcher != nil else { return nil }
        do throws(DiskError) {
            return try watcher?.watchFolder(path)
        } catch {
            // A limit of the system concerns all folders; whatever else is wrong with this one is told when it is listed.
            if error.isLimit { giveUpWatching(error) }
            return nil
        }
    }

    func unwatch(_ watch: Int32) { watcher?.remove(watch) }

    private func giveUpWatching(_ error: DiskError) {
        noteNoWatch(error)
        watcher = nil
        watchGeneration += 1
        let owners = watchOwners.values
        watchOwners = [:]
        for (family, file) in owners {
            file.watch = -1
            makeReady(family)
        }
    }

    private func noteNoWatch(_ error: DiskError) {
        // A try that fails again is no news.
        if !isShortOfWatches { telemetry.tell(FileEvent.noWatch(reason: error.description)) }
        isShortOfWatches = true
    }

    /// Asks to be told when a file grows that was read to its end. A file that cannot be watched is looked at each second.
    func watch(_ file: TailedFile, of family: LogFamily) {
        guard !options.once, file.watch < 0, watcher != nil else { return }
        guard let descriptor = file.content?.descriptor else { return }
        do throws(DiskError) {
            file.watch = try watcher?.watchFileOnce(descriptor) ?? -1
            if file.watch >= 0 { watchOwners[file.watch] = (family, file) }
        } catch {
            if error.isLimit { return giveUpWatching(error) }
            // One that may not be read any more, for instance.
            settling[ObjectIdentifier(family)] = family
            if !file.isUnwatchable {
                telemetry.tell(
                    FileEvent.cannotWatch(path: Path.join(family.key.folder, file.name), reason: error.description))
            }
            file.isUnwatchable = true
        }
    }

    func unwatch(_ file: TailedFile) {
        guard file.watch >= 0 else { return }
        watchOwners[file.watch] = nil
        watcher?.remove(file.watch)
        file.watch = -1
    }

    /// Takes all events that wait. Growth is dealt with here; what happened in folders is returned.
    func takeEvents() -> [WatchEvent] {
        var events: [WatchEvent] = []
        watcher?.drain { events.append($0) }
        if events.contains(where: \.isOverflow) { forgetFileWatches() }
        return events.filter { event in
            guard let (family, file) = watchOwners[event.watch] else { return true }
            if event.isModified || event.isEnded {
                watchOwners[event.watch] = nil
                file.watch = -1
                makeReady(family)
            }
            return false
        }
    }

    /// The kernel dropped events: one-shot watches may be used up without a word. All files are looked at and watched anew.
    private func forgetFileWatches() {
        for (family, file) in watchOwners.values {
            unwatch(file)
            makeReady(family)
        }
    }
}
