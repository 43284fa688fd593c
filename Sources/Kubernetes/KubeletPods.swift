// The pods of this node, as its kubelet tells of them: no watch, only a list whenever it is asked.
internal import PodMetadata
internal import Telemetry

/// Asks the kubelet for all its pods again and again, and at once when a log waits for a pod that is not known.
struct KubeletPods: Sendable {
    let client: APIClient
    /// From one request to the next, more or less.
    let poll: Duration
    let timing: WatchTiming
    let hurry: Hurry
    let pods: NodePods
    let telemetry: Telemetry

    private var directory: PodDirectory { hurry.directory }

    /// Runs until the task is cancelled, and closes the client's connections then.
    func run() async {
        // At once: nobody else asks this kubelet.
        var pacer = Pacer(timing)
        var isTroubled = true
        /// While the same log waits, each request comes twice as long after the one before it.
        var distance = timing.hurriedWait
        while !Task.isCancelled {
            let start = ContinuousClock.now
            if let wait = await ask(&pacer, &isTroubled) {
                await hurry.pause(wait)
            } else {
                await pause(from: start, &distance)
            }
        }
        await client.close()
    }

    /// Asks once. Returns how long to wait after a failure; nil when there was none.
    private func ask(_ pacer: inout Pacer, _ isTroubled: inout Bool) async -> Pacer.Wait? {
        let request = request
        do throws(APIError) {
            let listed = try await reader.list(client, request)
            // One that cannot be read counts as gone: nobody will ever tell that it is, and what is gone stays known while it has logs.
            pods.replaceAll(with: listed.objects, isComplete: true)
            telemetry.tell(
                KubernetesEvent.listed(
                    resource: pods.name, objects: listed.objects.count, version: listed.version, isNews: isTroubled))
            isTroubled = false
            pacer.succeeded()
            directory.note(.current)
            return nil
        } catch {
            let wait = pacer.afterFailure(error)
            let event = KubernetesEvent(error, server: client.server, action: request.action, wait: wait.time)
            if let event {
                telemetry.tell(event)
                isTroubled = true
                directory.note(.failing("\(client.server): \(error)"))
            }
            return wait
        }
    }

    /// Waits for the next request that is due at all, or for a log that needs it sooner.
    private func pause(from start: ContinuousClock.Instant, _ distance: inout Duration) async {
        let regular = Pacer.random(poll * 0.9, poll * 1.1)
        if !directory.isAwaited { distance = timing.hurriedWait }
        while !Task.isCancelled {
            let time = directory.isAwaited ? min(regular, distance) : regular
            let left = start + time - .now
            guard left > .zero else { break }
            // Another log waits: that is another question.
            if await hurry.alarm.wait(for: left) { distance = timing.hurriedWait }
        }
        if directory.isAwaited { distance = min(distance * 2, poll) }
    }

    private var reader: ResourceReader<NodePods> {
        ResourceReader(
            resource: pods, objectLimit: timing.objectLimit, progress: WatchProgress(), telemetry: telemetry)
    }

    private var request: APIRequest {
        APIRequest(
            "/pods", action: "get the kubelet's pods",
            remedy:
                "grant the verb get on nodes/proxy, or from Kubernetes 1.33 on nodes/pods, in a ClusterRole",
            head: timing.head, silence: timing.listSilence, whole: timing.list)
    }
}
