// Output `null`: takes everything and keeps nothing, to measure what lies before it.
package import Pipeline

/// Succeeds at once.
package final class NullOutput: Output {
    package static let name = "null"

    package struct Settings: PluginSettings {
        package init(from fields: inout Fields) {}
    }

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {}

    package var state: [UInt8] { [] }
    package func open(state: [UInt8]) async throws(DeliveryFailure) {}
    package func send(_ request: borrowing Request) async throws(DeliveryFailure) {}
    package func close() async {}
}
