// A glob as a setting.
package import Bytes

extension Glob: TextSettingValue {
    package static var expectation: String { "a glob such as kube-*" }

    package init(text: String) throws(SettingMisfit) {
        do throws(GlobError) {
            try self.init(text)
        } catch {
            throw .text(error.predicate, hint: error.hint)
        }
    }
}
