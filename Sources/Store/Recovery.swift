// Opens a store for writing: takes the lock, cuts off what a crash tore, sets damaged bytes aside, finds out which numbers
// are free. docs/store-format.md says what each crash leaves behind.
package import Disk
private import Records
package import Telemetry

extension Store {
    /// Opens or creates the store in a data directory. One process at a time may do so.
    ///
    /// - Returns: the writer; its `store` is the side for readers.
    /// - Throws: `.locked` when another agent has it, `.disk` when the folder cannot be read or written,
    ///   `.unknownVersion` as it says.
    package static func open(
        _ path: String, settings: StoreLimits, fileSystem given: any FileSystem, telemetry: Telemetry,
        clocks: MachineClocks = .system
    ) throws(StoreError) -> StoreWriter {
        let folder = StoreFolder(path)
        // A start has to succeed on a full disk: delivering what waits is what makes room.
        let fileSystem = ReservedFileSystem(
            base: given, reserve: DiskReserve(path: folder.reserve, fileSystem: given))
        do throws(DiskError) {
            for needed in [path, folder.segments(lane: 0), folder.cursors(lane: 0), folder.quarantine] {
                try fileSystem.makeFolder(needed)
            }
        } catch {
            throw .disk(error)
        }
        let lock: FolderLock
        do throws(FolderLock.Failure) {
            lock = try FolderLock(path)
        } catch {
            throw .locked(error)
        }
        let identity = try StoreIdentity.begin(folder, fileSystem, telemetry)
        let places: [FilePlace]
        let survey: Survey
        do throws(DiskError) {
            places = try lock.places() + folder.places()
            survey = try recover(folder, fileSystem, telemetry)
        } catch {
            throw .disk(error)
        }

        // Numbers begin above all that ever left the node: in the store, and in the cursors.
        var next = survey.nextSequence
        var counts = survey.counts
        let reached = highestCursor(folder, identity)
        if reached > next {
            // These were delivered, and then a power cut took them from the store. They were stored once.
            let lost = reached - next
            let input = counts.keys.min() ?? 0
            counts[input, default: Counts()][.lostToPowerCut] += lost
            counts[input]?[.readRecords] += lost
            counts[input]?[.storedRecords] += lost
            telemetry.tell(StoreEvent.numbersLostToPowerCut(records: lost))
            next = reached
        }
        var found = survey
        found.counts = counts
        let byName = Dictionary(
            counts.map { (found.inputs[$0.key] ?? "", $0.value) },
            uniquingKeysWith: { a, b in
                var sum = a; sum.add(b); return sum
            })
        let clockFile = AgeClockFile(folder.clock, fileSystem)
        let store = Store(
            folder: folder, identity: identity, fileSystem: given, reserved: fileSystem, telemetry: telemetry,
            segments: survey.segments, nextSequence: next, skipped: survey.skipped, counts: byName,
            maxSize: settings.maxSize, ages: StoreAges(AgeClock(after: clockFile.kept, next: next, clocks), clocks),
            places: places)
        telemetry.tell(
            StoreEvent.opened(path: path, segments: survey.segments.count, waitingFrom: next, epoch: identity.epoch))
        DeadLetters.retire(in: store)
        var writer = StoreWriter(store: store, settings: settings, lock: lock, survey: found, clockFile: clockFile)
        writer.start()
        return writer
    }

    /// Surveys the segments and mends what can be mended.
    private static func recover(
        _ folder: StoreFolder, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) throws(DiskError) -> Survey {
        let survey = try Survey(folder, lane: 0, isThorough: true)
        for path in survey.unborn {
            try fileSystem.remove(path)
            telemetry.tell(StoreEvent.removedUnborn(path: path))
        }
        for path in survey.strayed {
            try fileSystem.rename(path, to: "\(folder.quarantine)/\(Path.name(path))")
            telemetry.tell(StoreEvent.strayedSegment(path: path))
        }
        for path in survey.premature {
            try fileSystem.rename(path, to: "\(folder.quarantine)/\(Path.name(path))")
            telemetry.tell(StoreEvent.setAside(path: path))
        }
        for place in survey.damaged {
            let file = try fileSystem.open(place.path, .update)
            let size = try file.status().size
            if place.wasSynced {
                quarantine(file, place, until: place.nextOffset ?? size, folder, fileSystem, telemetry)
            } else {
                try fileSystem.truncate(file, to: place.offset)
                telemetry.tell(StoreEvent.cutTornEnd(path: place.path, bytes: size - place.offset))
            }
        }
        // What is in the store now must outlive the snapshot that will speak of it.
        for index in survey.unindexed {
            let path = index.summary.path
            do throws(DiskError) {
                try fileSystem.sync(try fileSystem.open(path, .update))
                try fileSystem.syncFolder(Path.parent(path))
                index.write(fileSystem)
            } catch {
                telemetry.tell(
                    StoreEvent.syncFailed(path: path, reason: error.description, bytesAtRisk: index.summary.size))
            }
        }
        return survey
    }

    /// Copies damaged bytes aside; the segment keeps them too, since readers pass over them.
    private static func quarantine(
        _ file: borrowing OwnedFile, _ place: DamagedPlace, until end: UInt64, _ folder: StoreFolder,
        _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) {
        let copy = "\(folder.quarantine)/\(Path.name(place.path)).\(place.offset)"
        guard Directory.status(copy) == nil else { return }
        do throws(DiskError) {
            let bytes = try file.read(count: Int(end - place.offset), at: place.offset)
            try fileSystem.replace(copy, with: bytes.span)
            telemetry.tell(
                StoreEvent.quarantined(path: place.path, offset: place.offset, bytes: end - place.offset))
        } catch {
            // The copy is for people: a full disk, or a sector that cannot be read, does not keep the agent from starting.
            telemetry.tell(
                StoreEvent.notQuarantined(path: place.path, offset: place.offset, reason: error.description))
        }
    }

    /// The highest number that a cursor of this store has passed or was sending.
    private static func highestCursor(_ folder: StoreFolder, _ identity: StoreIdentity) -> UInt64 {
        folder.cursorStates(lane: 0).filter { $0.storeID == identity.id }.map(\.reached).max() ?? 0
    }
}
