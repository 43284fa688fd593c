// All that keeps the directory of pods up to date, as one service.
package import Disk
package import PodMetadata
package import Telemetry

/// Learns of this node's pods, for as long as it runs, and keeps what it knows for the next start.
package struct MetadataService: Sendable {
    /// Who is asked.
    package enum Source: Hashable, Sendable {
        /// The API server, which tells of changes by itself.
        case api(ClusterAccess)
        /// The node's kubelet, which is asked each `poll`.
        case kubelet(ClusterAccess, poll: Duration)
    }

    /// What is wanted besides pods.
    package struct Options: Sendable {
        /// The labels of namespaces. A kubelet knows none.
        package var namespaceLabels = false
        /// The API server is asked who owns ReplicaSets and Jobs; else it is taken from their names. A kubelet does not know it.
        package var asksOwners = true
        /// Which annotations of pods are kept.
        package var keepsAnnotation: @Sendable (String) -> Bool = { _ in false }

        package init() {}
    }

    /// How long things take; tests are quicker.
    package struct Timing: Sendable {
        /// Of requests.
        package var watch = WatchTiming()
        /// From one question for an owner to the next.
        package var ownerDistance: Duration = .milliseconds(200)
        /// So long is not asked again for owners that we may not ask for.
        package var ownersRefused: Duration = .seconds(3600)
        /// From a change until it is saved.
        package var saveDelay: Duration = .seconds(5)
        /// From saving to saving again.
        package var saveDistance: Duration = .seconds(10)
        /// How often pods that are gone are looked through.
        package var purge: Duration = .seconds(60)

        package init() {}
    }

    private let source: Source
    private let node: String
    private let directory: PodDirectory
    private let options: Options
    private let file: String
    private let telemetry: Telemetry
    private let fileSystem: any FileSystem
    private let timing: Timing

    /// - Parameters:
    ///   - node: the node's name, as the API has it.
    ///   - directory: what is learned goes there; nobody else may write to it, or read its `demand`.
    ///   - file: where it is kept for the next start, `metadata.json` in the data folder.
    package init(
        source: Source, node: String, directory: PodDirectory, options: Options, file: String,
        telemetry: Telemetry, fileSystem: any FileSystem = LocalFileSystem(), timing: Timing = Timing()
    ) {
        self.source = source
        self.node = node
        self.directory = directory
        self.options = options
        self.file = file
        self.telemetry = telemetry
        self.fileSystem = fileSystem
        self.timing = timing
    }

    /// Puts into the directory what was known at the last stop. To be called before anything is read, so that the first records
    /// have it. What is wrong with the file is told, and never stops anything.
    package static func restore(
        _ file: String, node: String, into directory: PodDirectory, telemetry: Telemetry,
        fileSystem: any FileSystem = LocalFileSystem()
    ) {
        MetadataKeeper.restore(file, node: node, into: directory, fileSystem: fileSystem, telemetry: telemetry)
    }

    /// Runs until the task is cancelled; returns soon after that, when what is known was saved. To be called once: it uses up the
    /// directory's `demand`.
    package func run() async {
        let alarms = Alarms()
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in directory.demand {
                    alarms.hurry.ring()
                    alarms.namespaces.ring()
                }
            }
            group.addTask { await purge(alarms) }
            group.addTask { await keeper(alarms).run() }
            switch source {
            case .api(let access): watch(access, alarms, &group)
            case .kubelet(let access, let poll): group.addTask { await kubelet(access, poll, alarms).run() }
            }
        }
    }

    /// What wakes whom.
    private struct Alarms: Sendable {
        /// A log waits for a pod.
        let hurry = Alarm()
        /// The same, for whoever asks for namespaces.
        let namespaces = Alarm()
        /// There may be pods whose owners are not known.
        let owners = Alarm()
        /// There may be something to save.
        let save = Alarm()

        /// The directory may know something new.
        func changed() {
            owners.ring()
            save.ring()
        }
    }

    private func watch(_ access: ClusterAccess, _ alarms: Alarms, _ group: inout DiscardingTaskGroup) {
        let hurry = Hurry(directory: directory, alarm: alarms.hurry)
        group.addTask {
            var watch = ResourceWatch(
                pods(alarms), APIClient(access, timing: timing.watch), timing.watch, telemetry, hurry: hurry,
                note: { directory.note($0) })
            await watch.run()
        }
        if options.namespaceLabels {
            group.addTask {
                let namespaces = ClusterNamespaces(directory: directory, changed: alarms.save.ring)
                var watch = ResourceWatch(
                    namespaces, APIClient(access, timing: timing.watch), timing.watch, telemetry,
                    hurry: Hurry(directory: directory, alarm: alarms.namespaces),
                    note: { directory.noteNamespaces($0) })
                await watch.run()
            }
        }
        if options.asksOwners { group.addTask { await owners(access, alarms).run() } }
    }

    private func owners(_ access: ClusterAccess, _ alarms: Alarms) -> OwnerLookup {
        OwnerLookup(
            client: APIClient(access, timing: timing.watch), directory: directory,
            timing: .init(distance: timing.ownerDistance, refused: timing.ownersRefused), watchTiming: timing.watch,
            telemetry: telemetry, alarm: alarms.owners, learned: alarms.save.ring)
    }

    private func kubelet(_ access: ClusterAccess, _ poll: Duration, _ alarms: Alarms) -> KubeletPods {
        KubeletPods(
            client: APIClient(access, timing: timing.watch), poll: poll, timing: timing.watch,
            hurry: Hurry(directory: directory, alarm: alarms.hurry), pods: pods(alarms), telemetry: telemetry)
    }

    private func keeper(_ alarms: Alarms) -> MetadataKeeper {
        MetadataKeeper(
            path: file, node: node, directory: directory, fileSystem: fileSystem, telemetry: telemetry,
            timing: .init(delay: timing.saveDelay, distance: timing.saveDistance), alarm: alarms.save)
    }

    private func pods(_ alarms: Alarms) -> NodePods {
        NodePods(
            node: node, directory: directory, reader: PodReader(keepsAnnotation: options.keepsAnnotation),
            changed: alarms.changed)
    }

    /// Forgets pods that are long gone, now and then.
    private func purge(_ alarms: Alarms) async {
        while (try? await Task.sleep(for: timing.purge)) != nil {
            directory.purge(now: SystemClock.realtime)
            alarms.save.ring()
        }
    }
}
