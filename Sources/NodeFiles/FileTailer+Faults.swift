// What is done when a call on a log file fails. A fault that may pass is reported once and tried again each second; until then the
// log waits, so that its files stay in order. What is denied is left, reported together, and tried again at each slow look.
import Disk
import Records
import Telemetry

extension FileTailer {
    /// How often a fault is tried again, once a second, before what is behind it is read without it.
    private static let mostTries = 5

    /// Something failed that is tried again in a moment.
    package var isRetrying: Bool { !foldersToRetry.isEmpty || !faulty.isEmpty }

    // MARK: Opening

    /// A file of a log could not be opened or recognised.
    func noteUnopened(_ listed: ListedFile, in family: LogFamily, _ error: DiskError) {
        unopened.insert(family.key.folder)
        guard error.mayPass else { return noteUnopened(Path.join(family.key.folder, listed.name), error) }
        if family.tries == 0 { noteUnopened(Path.join(family.key.folder, listed.name), error) }
        // It is to be passed over then as it would have been now.
        if isFirstLook { missedAtFirst.insert(FileID(listed.status)) }
        block(family, error)
    }

    /// A log waits until its folder is looked at again; not for ever, unless for want of descriptors, which come back.
    func block(_ family: LogFamily, _ error: DiskError) {
        guard error.isOutOfDescriptors || family.tries < FileTailer.mostTries else { return }
        family.isBlocked = true
        foldersToRetry.insert(family.key.folder)
    }

    /// Files that may not be opened are reported together: without root's rights there may be thousands.
    func noteUnopened(_ path: String, _ error: DiskError) {
        guard error.isDenied else {
            return telemetry.tell(FileEvent.cannotOpen(path: path, reason: error.description))
        }
        if denied.insert(path).inserted { newlyDenied.append((path, error)) }
    }

    /// A folder could not be listed. It is tried again soon if that may help.
    func noteUnlisted(_ folder: String, _ error: DiskError) {
        if error.mayPass { foldersToRetry.insert(folder) }
        if error.isDenied {
            if denied.insert(folder).inserted { newlyDenied.append((folder, error)) }
        } else if unlisted.insert(folder).inserted {
            telemetry.tell(FileEvent.cannotList(path: folder, reason: error.description))
        }
    }

    /// A folder was listed; a fault in it from now on is news.
    func noteListed(_ folder: String) {
        unopened.remove(folder)
        if !unlisted.isEmpty { unlisted.remove(folder) }
        if !denied.isEmpty { denied.remove(folder) }
    }

    /// Reports what was denied since this was called last.
    func tellDenied() {
        guard let (path, error) = newlyDenied.first else { return }
        telemetry.tell(FileEvent.denied(count: newlyDenied.count, path: path, reason: error.description))
        newlyDenied = []
    }

    // MARK: Reading

    /// A file could not be read or looked at. Returns whether its log waits for another try.
    func willTryAgain(_ file: TailedFile, of family: LogFamily, _ error: DiskError) -> Bool {
        if error.isMissing, file.isClosedForRoom {
            // It has another name by now, or none: the folder tells.
            if file.isUnlinked { loseClosed(file, of: family) } else { foldersToRetry.insert(family.key.folder) }
            settling[ObjectIdentifier(family)] = family
            return !file.isUnlinked
        }
        file.faults += 1
        if file.faults == 1 {
            telemetry.tell(
                FileEvent.cannotRead(path: Path.join(family.key.folder, file.name), reason: error.description))
        }
        guard error.isOutOfDescriptors || file.faults <= FileTailer.mostTries else {
            faulty.remove(ObjectIdentifier(file))
            file.hasFailed = true
            file.isDone = true
            return false
        }
        file.isDone = false
        faulty.insert(ObjectIdentifier(file))
        settling[ObjectIdentifier(family)] = family
        return true
    }

    /// A file was read after faults.
    func noteRecovered(_ file: TailedFile) {
        file.faults = 0
        faulty.remove(ObjectIdentifier(file))
    }

    /// At each slow look files that failed get another try: a disk may have been mended.
    func retryFailed(_ family: LogFamily) {
        for file in family.files where file.faults > FileTailer.mostTries && file.content != nil {
            file.faults = FileTailer.mostTries
            file.hasFailed = false
            file.isDone = false
            makeReady(family)
        }
    }
}
