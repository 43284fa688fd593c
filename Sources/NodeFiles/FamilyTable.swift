// The logs that are followed, by key and by folder.

/// Finds a log by its key, and all logs of a folder, in constant time each.
struct FamilyTable {
    private var families: [FamilyKey: LogFamily] = [:]
    private var keys: [String: Set<FamilyKey>] = [:]

    /// All logs, in no order.
    var values: Dictionary<FamilyKey, LogFamily>.Values { families.values }

    subscript(key: FamilyKey) -> LogFamily? {
        get { families[key] }
        set {
            families[key] = newValue
            if newValue != nil {
                keys[key.folder, default: []].insert(key)
            } else if keys[key.folder]?.remove(key) != nil, keys[key.folder]?.isEmpty == true {
                keys[key.folder] = nil
            }
        }
    }

    mutating func removeValue(forKey key: FamilyKey) -> LogFamily? {
        defer { self[key] = nil }
        return families[key]
    }

    /// The logs in a folder.
    func families(in folder: String) -> [LogFamily] { (keys[folder] ?? []).compactMap { families[$0] } }
}
