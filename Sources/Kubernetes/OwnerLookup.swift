// Who owns the owners of pods: a ReplicaSet mostly belongs to a Deployment, a Job to a CronJob or to something else.
private import Bytes
internal import PodMetadata
internal import Telemetry

/// Asks the API server for each ReplicaSet and Job that is not known yet, one after the other and not many a second.
struct OwnerLookup: Sendable {
    /// How often is asked.
    struct Timing: Sendable {
        /// From one request to the next.
        var distance: Duration = .milliseconds(200)
        /// So long is not asked again for what we may not ask for.
        var refused: Duration = .seconds(3600)
    }

    let client: APIClient
    let directory: PodDirectory
    let timing: Timing
    let watchTiming: WatchTiming
    let telemetry: Telemetry
    /// Set off when the directory may know new pods, the first time after a list of all of them.
    let alarm: Alarm
    /// Called when the directory knows another owner.
    let learned: @Sendable () -> Void

    /// What we may not ask for: a kind of object in a namespace.
    private struct Place: Hashable {
        let kind: String
        let namespace: String
    }

    /// Runs until the task is cancelled, and closes the client's connections then.
    func run() async {
        await alarm.wait(for: nil)
        var pacer = Pacer(watchTiming)
        var refused: [Place: ContinuousClock.Instant] = [:]
        var toldKinds: Set<String> = []
        while !Task.isCancelled {
            let now = ContinuousClock.now
            refused = refused.filter { $0.value > now }
            // Any of them: one that always fails must not stand in the way of the others.
            let unknown = directory.unknownControllers.filter {
                refused[Place(kind: $0.controller.kind, namespace: $0.namespace)] == nil
            }
            guard let unknown = unknown.randomElement() else {
                // Connections that nobody uses are not kept.
                await client.close()
                await alarm.wait(for: refused.values.min().map { $0 - now })
                continue
            }
            do throws(APIError) {
                try await learn(unknown.controller, unknown.namespace)
                learned()
                pacer.succeeded()
                try? await Task.sleep(for: timing.distance)
            } catch .forbidden(let refusal) {
                let place = Place(kind: unknown.controller.kind, namespace: unknown.namespace)
                refused[place] = .now + timing.refused
                telemetry.tell(
                    KubernetesEvent.ownersForbidden(
                        action: refusal.action, remedy: refusal.remedy, reason: refusal.message,
                        isNews: toldKinds.insert(place.kind).inserted))
                try? await Task.sleep(for: timing.distance)
            } catch .cancelled {
                break
            } catch {
                telemetry.tell(
                    KubernetesEvent.ownerFailed(
                        action: request(unknown.controller, unknown.namespace).action, reason: error.description))
                try? await Task.sleep(for: max(timing.distance, pacer.afterFailure(error).time))
            }
        }
        await client.close()
    }

    private func learn(_ controller: Owner, _ namespace: String) async throws(APIError) {
        let request = request(controller, namespace)
        do throws(APIError) {
            let limit = watchTiming.objectLimit
            let head = try await client.get(request) { body in try await body.readObject(limit: limit) }
            // One of the same name that was made later, or by others.
            guard head.uid == controller.uid else { return learnFromNames(controller) }
            directory.learn(owner: head.controller ?? controller, of: controller.uid)
        } catch .notFound, .gone {
            learnFromNames(controller)
        }
    }

    /// Takes the owner from names for good: it will not be found later either.
    private func learnFromNames(_ controller: Owner) {
        let pod = directory.snapshot.pods.values.first { $0.controller?.uid == controller.uid }
        directory.learn(owner: pod.flatMap(OwnerRules.workload) ?? controller, of: controller.uid)
    }

    private func request(_ controller: Owner, _ namespace: String) -> APIRequest {
        let isJob = controller.kind == "Job"
        let (group, kind) = isJob ? ("batch", "jobs") : ("apps", "replicasets")
        let place = "\(APIRequest.escape(namespace))/\(kind)/\(APIRequest.escape(controller.name))"
        // From the API server's memory: not even a read of its database.
        var request = APIRequest(
            "/apis/\(group)/v1/namespaces/\(place)?resourceVersion=0",
            action: "get \(kind).\(group) in namespace \(namespace)",
            remedy: "grant the verb get on \(kind) of the API group \(group) in a ClusterRole", head: watchTiming.head,
            silence: watchTiming.listSilence, whole: watchTiming.listSilence * 2)
        request.accept = APIRequest.partialObject
        return request
    }
}
