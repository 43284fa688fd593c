// Keeps up with one kind of objects at an API server: a list of all, then a watch for changes, for as long as it runs.
internal import PodMetadata
internal import Telemetry

/// Lists and watches a resource, the way Kubernetes' own clients do.
///
/// A list is asked for with resource version 0, which the server answers from its memory. Each event moves the version, and a watch
/// that has ended, however that was, is followed by one from the last version. A version that the server has forgotten (410) leads
/// to a new list; if the version of that list is forgotten at once, the next list is asked for without one, so that it comes from
/// the database behind the server. After a few watches in a row that brought nothing, all is asked for again too: the server may
/// be another one than before, which never had that version, or something between us cuts what it sends.
struct ResourceWatch<Resource: WatchedResource> {
    private let client: APIClient
    private let timing: WatchTiming
    private let telemetry: Telemetry
    private let hurry: Hurry?
    private let note: (@Sendable (MetadataHealth) -> Void)?
    private let resource: Resource
    private let reader: ResourceReader<Resource>
    private let progress = WatchProgress()
    private var pacer: Pacer
    /// The next list is asked for from the server's memory.
    private var listsFromMemory = true
    /// Watches in a row that were answered and brought nothing.
    private var fruitless = 0
    /// Watches in a row that broke off soon.
    private var broken = 0

    /// After so many of them all is asked for again.
    private static var mostFruitless: Int { 3 }

    /// - Parameters:
    ///   - hurry: shortens waits; nil for what no log waits for.
    ///   - note: learns how it goes.
    init(
        _ resource: Resource, _ client: APIClient, _ timing: WatchTiming, _ telemetry: Telemetry, hurry: Hurry? = nil,
        note: (@Sendable (MetadataHealth) -> Void)? = nil
    ) {
        self.resource = resource
        self.client = client
        self.timing = timing
        self.telemetry = telemetry
        self.hurry = hurry
        self.note = note
        pacer = Pacer(timing)
        reader = ResourceReader(
            resource: resource, objectLimit: timing.objectLimit, progress: progress, telemetry: telemetry)
    }

    /// Runs until the task is cancelled, and closes the client's connections then.
    mutating func run() async {
        await pause(
            Pacer.Wait(
                time: Pacer.random(.zero, timing.start),
                atLeast: Pacer.random(.zero, min(timing.start, timing.hurriedWait))))
        while !Task.isCancelled {
            let wait = progress.current.version.isEmpty ? await list() : await watch()
            if let wait { await pause(wait) }
        }
        await client.close()
    }

    private func pause(_ wait: Pacer.Wait) async {
        if let hurry { await hurry.pause(wait) } else { try? await Task.sleep(for: wait.time) }
    }

    // MARK: Lists

    /// Asks for all objects. Returns how long to wait after that; nil not to wait.
    private mutating func list() async -> Pacer.Wait? {
        let query = [listsFromMemory ? "resourceVersion=0" : "", resource.selector].filter { !$0.isEmpty }
        var request = APIRequest(
            resource.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&")), action: "list \(resource.name)",
            remedy: remedy, head: timing.head, silence: timing.listSilence, whole: timing.list)
        request.accept = resource.acceptsLists
        do throws(APIError) {
            let listed = try await reader.list(client, request)
            guard !listed.version.isEmpty else { throw APIError.unreadable("the list has no resourceVersion") }
            resource.replaceAll(with: listed.objects, isComplete: listed.isComplete)
            telemetry.tell(
                KubernetesEvent.listed(
                    resource: resource.name, objects: listed.objects.count, version: listed.version,
                    isNews: progress.listed(listed.version)))
            if listed.objects.isEmpty, let event = resource.whenEmpty { telemetry.tell(event) }
            listsFromMemory = true
            fruitless = 0
            note?(.current)
            return nil
        } catch {
            if case .gone = error { listsFromMemory = false }
            return fail(error, request.action)
        }
    }

    private var remedy: String { "grant the verbs list and watch on \(resource.name) in a ClusterRole" }

    /// Tells of a request that was not answered as it should be, and says how long to wait.
    private mutating func fail(_ error: APIError, _ action: String) -> Pacer.Wait? {
        let wait = pacer.afterFailure(error)
        guard let event = KubernetesEvent(error, server: client.server, action: action, wait: wait.time) else {
            return nil
        }
        telemetry.tell(event)
        progress.fail()
        note?(.failing("\(client.server): \(error)"))
        return wait
    }

    // MARK: Watches

    /// Watches until the server, the network or we have enough. Returns how long to wait after that; nil not to wait.
    private mutating func watch() async -> Pacer.Wait? {
        progress.asksForWatch()
        let before = progress.current
        let request = watchRequest()
        let start = ContinuousClock.now
        var failure: APIError?
        do throws(APIError) {
            try await reader.follow(client, request) { [resource, progress, note, telemetry] in
                if progress.begin() {
                    telemetry.tell(
                        KubernetesEvent.resumed(resource: resource.name, version: progress.current.version))
                }
                note?(.current)
            }
        } catch {
            failure = error
        }
        if before.isFresh, progress.current.hasNews { pacer.forgive() }
        return after(request, failure, before.version, lived: ContinuousClock.now - start)
    }

    private func watchRequest() -> APIRequest {
        let seconds = Int.random(in: timing.watchSeconds)
        let query = [
            "watch=true", "allowWatchBookmarks=true", "timeoutSeconds=\(seconds)",
            "resourceVersion=\(APIRequest.escape(progress.current.version))", resource.selector,
        ]
        var request = APIRequest(
            resource.path + "?" + query.filter { !$0.isEmpty }.joined(separator: "&"),
            action: "watch \(resource.name)", remedy: remedy, head: timing.head, silence: timing.watchSilence,
            whole: .seconds(seconds) + timing.watchGrace)
        request.accept = resource.acceptsEvents
        return request
    }

    /// Gives the version up when nothing comes of it.
    private mutating func count(_ failure: APIError?, _ state: WatchProgress.State, lived: Duration) {
        guard !state.hasNews, lived < timing.longLife else {
            fruitless = 0
            return
        }
        switch failure {
        case nil, .server, .unreadable, .notFound: fruitless += 1
        case _ where state.hasBegun: fruitless += 1
        default: break
        }
        if fruitless >= Self.mostFruitless { progress.expire() }
    }

    /// What follows a watch.
    private mutating func after(
        _ request: APIRequest, _ failure: APIError?, _ version: String, lived: Duration
    ) -> Pacer.Wait? {
        let state = progress.current
        let hasMoved = state.version != version
        count(failure, state, lived: lived)
        func ended(_ reason: String) {
            telemetry.tell(KubernetesEvent.watchEnded(resource: resource.name, after: lived, reason: reason))
        }
        switch failure {
        case .cancelled: return nil
        case nil:
            if lived >= timing.longLife { broken = 0 }
            ended("the server has ended it")
            return pacer.afterWatch(lived: lived, progressed: hasMoved)
        case .stalled where state.hasBegun && lived >= request.whole:
            ended("it went on for longer than it was to")
            return pacer.afterWatch(lived: lived, progressed: hasMoved)
        case .gone(let message):
            telemetry.tell(KubernetesEvent.expired(resource: resource.name, reason: message))
            listsFromMemory = !state.isFresh
            progress.expire()
            return pacer.afterWatch(lived: lived, progressed: false)
        case let error? where !state.hasBegun: return fail(error, request.action)
        case .throttled?: return failure.flatMap { fail($0, request.action) }
        case .unreachable(let words)?:
            ended(words)
            // Once is nothing: an API server ends watches when it restarts.
            broken = lived < timing.longLife ? broken + 1 : 0
            if broken >= Self.mostFruitless {
                telemetry.tell(
                    KubernetesEvent.unreachable(server: client.server, action: request.action, reason: words))
                note?(.failing("\(client.server): the watch breaks off again and again: \(words)"))
            }
        case let error?:
            if let event = KubernetesEvent(error, server: client.server, action: request.action, wait: .zero) {
                telemetry.tell(event)
            }
        }
        return pacer.afterWatch(lived: lived, progressed: hasMoved)
    }
}
