// What is asked of a server: a path, what the answer looks like, and how all this is called for people.

/// A GET.
struct APIRequest: Sendable {
    /// With its query: `/api/v1/pods?resourceVersion=0`.
    var path: String
    /// The header Accept.
    var accept = APIRequest.json
    /// What is done, for messages: `list pods`.
    var action: String
    /// What to grant to whom may not do it, as a sentence: `grant list and watch on pods`.
    var remedy: String
    /// The answer must have begun after so long, a connection included.
    var head: Duration
    /// No longer than this may nothing come of the answer.
    var silence: Duration
    /// The answer must be whole after so long.
    var whole: Duration

    init(
        _ path: String, action: String, remedy: String, head: Duration, silence: Duration, whole: Duration
    ) {
        self.path = path
        self.action = action
        self.remedy = remedy
        self.head = head
        self.silence = silence
        self.whole = whole
    }

    /// Whole objects.
    static let json = "application/json"
    /// Of each object the metadata only; a server that does not know this sends whole ones.
    static let partialObject =
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
    /// The same for lists.
    static let partialList =
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"

    /// A text as it may stand in a part of a path, or in the value of a query.
    static func escape(_ text: String) -> String {
        var escaped: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.append(byte)
            default: escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
