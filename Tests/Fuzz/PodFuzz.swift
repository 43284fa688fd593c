// Feeds bytes to the cutting and reading of Kubernetes API answers under libFuzzer, which wants all sources in one module:
// swiftc -O -sanitize=fuzzer,address -parse-as-library -package-name sluice -enable-experimental-feature Lifetimes -enable-upcoming-feature InternalImportsByDefault -module-name Bytes -I Sources/CLinux Sources/Bytes/*.swift Sources/PodMetadata/{APIStatus,JSONParts,ListEnvelope,LogInstructions,ObjectHead,ObjectStream,Pod,PodReader,WatchEvent}.swift Tests/Fuzz/PodFuzz.swift -o /tmp/pod-fuzz && /tmp/pod-fuzz -max_total_time=60

/// Stops with the input kept when a rule does not hold.
private func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    // The first byte says how the rest is cut.
    guard let size = input.first.map({ Int($0) % 16 + 1 }) else { return 0 }
    let body = Array(input.dropFirst())
    for shape in [ObjectStream.Shape.list, .events] {
        let whole = Cut(shape, body, size: body.count)
        require(whole == Cut(shape, body, size: size), "any cut gives the same objects")
        require(whole.objects.joined().count <= body.count, "no byte is made up")
        for object in whole.objects { read(object) }
        guard shape == .list, whole.isComplete, whole.passedOver.isEmpty, whole.objects.allSatisfy(isJSON) else {
            continue
        }
        require(isJSON(body), "a list of which every part is JSON is JSON")
    }
    read(body)
    return 0
}

private func arena(_ bytes: [UInt8]) -> Arena {
    var arena = Arena(capacity: bytes.count)
    arena.append(bytes)
    return arena
}

private func isJSON(_ bytes: [UInt8]) -> Bool { JSONScanner.validate(arena(bytes), from: 0, to: bytes.count) }

/// All that a stream gives of a body in pieces of one size.
private struct Cut: Equatable {
    var objects: [[UInt8]] = []
    var passedOver: [Int] = []
    var envelope: ListEnvelope?
    var error: ObjectError?

    var isComplete: Bool { error == nil }

    init(_ shape: ObjectStream.Shape, _ body: [UInt8], size: Int) {
        var stream = ObjectStream(shape, limit: 200, envelopeLimit: 300)
        do throws(ObjectError) {
            var start = 0
            while start < body.count {
                let end = min(body.count, start + size)
                stream.append(body.span.extracting(start..<end))
                start = end
                while let piece = try stream.next() {
                    switch piece {
                    case .object: objects.append([UInt8](copying: stream.object.span))
                    case .passedOver(let bytes): passedOver.append(bytes)
                    }
                }
            }
            envelope = try stream.finish()
        } catch {
            self.error = error
        }
    }
}

private func read(_ object: [UInt8]) {
    let json = arena(object)
    let reader = PodReader { _ in true }
    let pod = try? reader.pod(json)
    require(pod == nil || isJSON(object), "a pod is JSON")
    require(pod.map { !$0.uid.isEmpty && !$0.namespace.isEmpty && !$0.name.isEmpty } ?? true, "a pod has its names")
    let head = try? reader.head(json)
    require(pod == nil || head?.uid == pod?.apiUID, "a pod has a head")
    _ = try? reader.event(json)
    _ = try? WatchEvent<ObjectHead>.read(json)
    _ = try? APIStatus.read(json)
}
