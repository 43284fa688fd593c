// Which pods a line of the kubelet is about. It names them in many ways, depending on its version and on the part that speaks.
private import Bytes

/// What a line says of a pod: at least one of these.
package struct PodReference: Sendable, Hashable {
    /// nil where the line does not tell it.
    package var namespace: String?
    package var name: String?
    package var uid: String?

    package init(namespace: String? = nil, name: String? = nil, uid: String? = nil) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }
}

/// Finds pods in text, as it stands in the journal or put together again from a record (`RecordFields.appendText`):
///
/// - `name_namespace(uid)`, and behind "pod" also without the uid;
/// - `pod="namespace/name"`, `pods=["namespace/name"]` and all other keys that end so, with and without quotes;
/// - `"namespace/name"`, but not behind "image", "secret" and the like;
/// - `pod "name" (UID: "uid")`, and without the uid;
/// - `podName=`, `podNamespace=`, `podUID=`, and the same of containerd's `PodSandboxMetadata`;
/// - uids alone: in names of volumes, in paths and in control groups.
///
/// Quotes may have backslashes before them: errors quote other errors.
package enum PodReferences {
    /// The pods that a text speaks of, each once.
    package static func find(in text: Span<UInt8>) -> [PodReference] {
        var finder = PodFinder()
        finder.read(text)
        return finder.finished()
    }
}

/// Reads a text word by word.
private struct PodFinder {
    private var found: [PodReference] = []
    // What belongs to the only pod of the line that lacks it.
    private var loneName: String?
    private var loneNamespace: String?
    private var loneUID: String?
    /// The key of the list that is open: `pods=[...]`.
    private var listKey: [UInt8]?

    // MARK: Words

    mutating func read(_ text: Span<UInt8>) {
        var i = 0
        while i < text.count {
            guard PodFinder.isPart(text[i]) else {
                if text[i] == UInt8(ascii: "]") { listKey = nil }
                if text[i] == UInt8(ascii: "["), i > 0, PodFinder.isSeparator(text[i - 1]) {
                    listKey = PodFinder.key(in: text, before: i)
                }
                i += 1
                continue
            }
            var end = i + 1
            while end < text.count, PodFinder.isPart(text[end]) { end += 1 }
            i = note(Word(text, i..<end), text)
        }
    }

    /// A run of characters that names, paths and uids are made of, and what is around it.
    private struct Word {
        let range: Range<Int>
        /// Whether a quote stands before it.
        let isQuoted: Bool
        /// Where the text before it ends, without the quote.
        let contextEnd: Int
        let underscore: Int?
        let slash: Int?
        /// Whether there is but one of either, and not both.
        let isPair: Bool

        init(_ text: Span<UInt8>, _ range: Range<Int>) {
            // A full stop behind a name ends the sentence.
            var range = range
            while range.count > 1, text[range.upperBound - 1] == UInt8(ascii: ".") {
                range = range.lowerBound..<range.upperBound - 1
            }
            self.range = range
            var start = range.lowerBound
            isQuoted = start > 0 && text[start - 1] == UInt8(ascii: "\"")
            if isQuoted { start -= 1 }
            while isQuoted, start > 0, text[start - 1] == UInt8(ascii: "\\") { start -= 1 }
            contextEnd = start
            underscore = range.first { text[$0] == UInt8(ascii: "_") }
            slash = range.first { text[$0] == UInt8(ascii: "/") }
            isPair = range.count { text[$0] == UInt8(ascii: "_") || text[$0] == UInt8(ascii: "/") } == 1
        }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x2D < 13 || byte == UInt8(ascii: "_")
    }

    /// What stands between a key and its value.
    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") }

    /// The key whose value begins at `end`, such as `pod` in `pod=`, `pod:` and `"pod":`; nil when there is none.
    private static func key(in text: Span<UInt8>, before end: Int) -> [UInt8]? {
        guard end > 1, isSeparator(text[end - 1]) else { return nil }
        var last = end - 1
        while last > 0, text[last - 1] == UInt8(ascii: "\"") || text[last - 1] == UInt8(ascii: "\\") { last -= 1 }
        let key = word(in: text, before: last)
        return key.isEmpty ? nil : key
    }

    /// The word that ends at `end`.
    private static func word(in text: Span<UInt8>, before end: Int) -> [UInt8] {
        var start = end
        while start > 0, isPart(text[start - 1]) { start -= 1 }
        return Array(copying: text.extracting(start..<end))
    }

    /// The word before a value that has no key, in small letters: `pod` in `pod "x"`.
    private static func leadingWord(in text: Span<UInt8>, before end: Int) -> String {
        guard end > 0, text[end - 1] == UInt8(ascii: " ") else { return "" }
        return String(decoding: word(in: text, before: end - 1), as: UTF8.self).lowercased()
    }

    private static func isPodKey(_ key: [UInt8]) -> Bool {
        let key = String(decoding: key, as: UTF8.self).lowercased()
        return key.hasSuffix("pod") || key.hasSuffix("pods")
    }

    // MARK: What a word is

    /// Takes a word in, and tells where to go on.
    private mutating func note(_ word: Word, _ text: Span<UInt8>) -> Int {
        if let end = noteWithUID(word, text) { return end }
        let uids = PodFinder.uids(in: text, word.range)
        let key = PodFinder.key(in: text, before: word.contextEnd)
        let leading = PodFinder.leadingWord(in: text, before: word.contextEnd)
        if uids.isEmpty {
            noteName(word, text, key: key, leading: leading)
        } else {
            for uid in uids { noteUID(uid, key: key) }
        }
        if uids.isEmpty, PodFinder.isShortHash(text, word.range), PodFinder.saysUID(key) || leading.hasPrefix("pod") {
            noteUID(PodFinder.string(text, word.range), key: key)
        }
        return word.range.upperBound
    }

    /// `name_namespace(uid)`
    private mutating func noteWithUID(_ word: Word, _ text: Span<UInt8>) -> Int? {
        let open = word.range.upperBound
        guard let underscore = word.underscore, word.isPair, open < text.count, text[open] == UInt8(ascii: "("),
            let name = PodFinder.name(text, word.range.lowerBound..<underscore),
            let namespace = PodFinder.namespace(text, underscore + 1..<open)
        else { return nil }
        var end = open + 1
        while end < text.count, PodFinder.isHexadecimal(text[end]) || text[end] == UInt8(ascii: "-") { end += 1 }
        guard end - open > 8, end < text.count, text[end] == UInt8(ascii: ")") else { return nil }
        add(PodReference(namespace: namespace, name: name, uid: PodFinder.string(text, open + 1..<end)))
        return end + 1
    }

    private mutating func noteName(_ word: Word, _ text: Span<UInt8>, key: [UInt8]?, leading: String) {
        let end = word.range.upperBound
        let isNamedPod = key.map(PodFinder.isPodKey) ?? (leading == "pod" || leading == "pods")
        if word.isPair, let slash = word.slash {
            // What has a tag behind it is an image.
            let hasTag = end < text.count && (text[end] == UInt8(ascii: ":") || text[end] == UInt8(ascii: "@"))
            let isMeant: Bool
            if let key = key ?? listKey {
                isMeant = PodFinder.isPodKey(key)
            } else {
                isMeant = isNamedPod || word.isQuoted && !PodFinder.otherThings.contains(leading)
            }
            if isMeant, !hasTag, let namespace = PodFinder.namespace(text, word.range.lowerBound..<slash),
                let name = PodFinder.name(text, slash + 1..<end)
            {
                add(PodReference(namespace: namespace, name: name))
            }
        } else if word.isPair, let underscore = word.underscore {
            if isNamedPod, let name = PodFinder.name(text, word.range.lowerBound..<underscore),
                let namespace = PodFinder.namespace(text, underscore + 1..<end)
            {
                let isUIDNext = end < text.count && text[end] == UInt8(ascii: " ")
                let uid = isUIDNext ? PodFinder.uuid(text, at: end + 1, before: text.count) : nil
                add(PodReference(namespace: namespace, name: name, uid: uid))
            }
        } else if let name = PodFinder.name(text, word.range) {
            noteLone(name, word, text, key: key, isNamedPod: isNamedPod)
        }
    }

    /// A name without a namespace, or a namespace without a name.
    private mutating func noteLone(_ name: String, _ word: Word, _ text: Span<UInt8>, key: [UInt8]?, isNamedPod: Bool) {
        if let key {
            switch String(decoding: key, as: UTF8.self) {
            case "podName": loneName = name
            case "podNamespace", "namespace": loneNamespace = name
            case "Namespace" where word.range.lowerBound > 0: loneNamespace = loneName == nil ? nil : name
            case "Name" where PodFinder.ends(text, at: word.range.lowerBound, with: "PodSandboxMetadata{Name:"):
                loneName = name
            default: if isNamedPod, word.isQuoted { add(PodReference(name: name)) }
            }
            return
        }
        guard isNamedPod, word.isQuoted, !PodFinder.isShortHash(text, word.range) else { return }
        add(PodReference(name: name, uid: PodFinder.uidBehind(text, word.range.upperBound)))
    }

    private mutating func noteUID(_ uid: String, key: [UInt8]?) {
        if PodFinder.saysUID(key) { loneUID = uid }
        add(PodReference(uid: uid))
    }

    /// Keys of the uid of the pod that a line is about.
    private static func saysUID(_ key: [UInt8]?) -> Bool {
        guard let key else { return false }
        return ["podUID", "UID", "Uid", "ID", "podName"].contains(String(decoding: key, as: UTF8.self))
    }

    /// Words behind which two names with a slash between them are no pod.
    private static let otherThings: Set<String> = [
        "image", "images", "secret", "configmap", "volume", "plugin", "service", "node", "container", "driver",
        "reference", "endpoint",
        "provider", "serviceaccount", "type", "resource",
    ]

    /// The uid in ` (UID: "...")` at `start`, where a quote ends.
    private static func uidBehind(_ text: Span<UInt8>, _ start: Int) -> String? {
        var i = start
        while i < text.count, text[i] == UInt8(ascii: "\\") || text[i] == UInt8(ascii: "\"") { i += 1 }
        for byte in " (UID: ".utf8 {
            guard i < text.count, text[i] == byte else { return nil }
            i += 1
        }
        while i < text.count, text[i] == UInt8(ascii: "\\") || text[i] == UInt8(ascii: "\"") { i += 1 }
        var end = i
        while end < text.count, isHexadecimal(text[end]) || text[end] == UInt8(ascii: "-") { end += 1 }
        return end - i >= 8 ? string(text, i..<end) : nil
    }

    private static func ends(_ text: Span<UInt8>, at end: Int, with literal: StaticString) -> Bool {
        let start = end - literal.utf8CodeUnitCount
        return start >= 0 && text.extracting(start..<end).isEqual(to: literal)
    }

    // MARK: Names and uids

    private static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: text.extracting(range))
    }

    /// A DNS subdomain, as pods are called.
    private static func name(_ text: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard !range.isEmpty, range.count <= 253, isAlphanumeric(text[range.lowerBound]),
            isAlphanumeric(text[range.upperBound - 1])
        else { return nil }
        for i in range where !isAlphanumeric(text[i]) && text[i] != UInt8(ascii: "-") && text[i] != UInt8(ascii: ".") {
            return nil
        }
        return string(text, range)
    }

    /// A DNS label, as namespaces are called.
    private static func namespace(_ text: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard range.count <= 63 else { return nil }
        return name(text, range).flatMap { $0.contains(".") ? nil : $0 }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 || byte &- 0x30 < 10 }

    private static func isHexadecimal(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte &- 0x61 < 6 }

    private static func areHexadecimal(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        range.allSatisfy { isHexadecimal(text[$0]) }
    }

    /// Whether it is 32 hexadecimal digits: the uid of a static pod, or else the id of a machine or of a boot.
    private static func isShortHash(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        range.count == 32 && areHexadecimal(text, range)
    }

    /// The uids of pods in a word.
    private static func uids(in text: Span<UInt8>, _ range: Range<Int>) -> [String] {
        var uids: [String] = []
        var i = range.lowerBound
        while i < range.upperBound {
            if let uid = uuid(text, at: i, before: range.upperBound) {
                uids.append(uid)
                i += 36
            } else if let uid = hash(text, at: i, in: range) {
                uids.append(uid)
                i += 32
            } else {
                i += 1
            }
        }
        return uids
    }

    /// A UUID at `start`; systemd's slices have underscores for its dashes.
    private static func uuid(_ text: Span<UInt8>, at start: Int, before limit: Int) -> String? {
        guard start + 36 <= limit else { return nil }
        let separator = text[start + 8]
        guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "_") else { return nil }
        for offset in 0..<36 {
            let isSeparator = offset == 8 || offset == 13 || offset == 18 || offset == 23
            let byte = text[start + offset]
            guard isSeparator ? byte == separator : isHexadecimal(byte) else { return nil }
        }
        guard start + 36 == limit || !isHexadecimal(text[start + 36]) else { return nil }
        return String(string(text, start..<start + 36).map { $0 == "_" ? "-" : $0 })
    }

    /// The hash that is the uid of a static pod, at `start`, where a path says that it is one: in a control group `pod<hash>`, in a
    /// volume's name `/<hash>-config`, in the kubelet's own folder `/pods/<hash>`.
    private static func hash(_ text: Span<UInt8>, at start: Int, in range: Range<Int>) -> String? {
        let end = start + 32
        guard end <= range.upperBound, areHexadecimal(text, start..<end),
            end == range.upperBound || !isHexadecimal(text[end])
        else { return nil }
        let isVolume =
            start > range.lowerBound && text[start - 1] == UInt8(ascii: "/") && end < range.upperBound
            && text[end] == UInt8(ascii: "-")
        guard
            isVolume || ends(text, at: start, with: "/pod") || ends(text, at: start, with: "-pod")
                || ends(text, at: start, with: "/pods/")
        else { return nil }
        return string(text, start..<end)
    }

    // MARK: One of each

    private mutating func add(_ reference: PodReference) {
        var reference = reference
        var place = found.count
        while let index = found.firstIndex(where: { PodFinder.merged($0, reference) != nil }) {
            reference = PodFinder.merged(found[index], reference) ?? reference
            found.remove(at: index)
            place = min(place, index)
        }
        found.insert(reference, at: min(place, found.count))
    }

    /// Both as one, when they share a uid or a name and contradict each other in nothing.
    private static func merged(_ one: PodReference, _ other: PodReference) -> PodReference? {
        func agree(_ a: String?, _ b: String?) -> Bool { a == nil || b == nil || a == b }
        guard agree(one.namespace, other.namespace), agree(one.name, other.name), agree(one.uid, other.uid),
            one.uid != nil && one.uid == other.uid || one.name != nil && one.name == other.name
        else { return nil }
        return PodReference(
            namespace: one.namespace ?? other.namespace, name: one.name ?? other.name, uid: one.uid ?? other.uid)
    }

    /// All that was found, the parts of a pod that stood apart put together.
    consuming func finished() -> [PodReference] {
        if let loneName { add(PodReference(namespace: loneNamespace, name: loneName)) }
        let nameless = found.indices.filter { found[$0].name != nil && found[$0].namespace == nil }
        if nameless.count == 1, let loneNamespace { found[nameless[0]].namespace = loneNamespace }
        let named = found.filter { $0.name != nil }
        if named.count == 1, named[0].uid == nil, let loneUID {
            found.removeAll { $0 == named[0] || $0 == PodReference(uid: loneUID) }
            found.insert(PodReference(namespace: named[0].namespace, name: named[0].name, uid: loneUID), at: 0)
        }
        return found
    }
}
