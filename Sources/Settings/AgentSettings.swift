// The whole configuration, checked: what `sluice run` is wired from. Reading it: AgentSettings+reading.swift.
package import Pipeline

/// Everything a configuration file says.
package struct AgentSettings: Sendable {
    /// Where the store and the agent's own files are.
    package var dataDirectory: String
    /// Where that stands.
    package var dataOrigin: SettingsOrigin
    /// What is added to every record, in the order of the file.
    package var fields: [StaticField]
    /// What is read, at least one.
    package var inputs: [ConfiguredInput]
    /// What records go through, in this order.
    package var filters: [Configured<any Filter>]
    /// Where records go, at least one.
    package var outputs: [ConfiguredOutput]
    /// The node's store.
    package var store: StoreSettings
    /// The metadata of pods.
    package var kubernetes: Kubernetes
    /// The agent itself.
    package var agent: Agent

    /// One member that is added to every record.
    package struct StaticField: Sendable, Hashable {
        /// Its name, none of the record's own.
        package let name: String
        /// Its value.
        package let value: JSONValue
    }

    /// An input and what its records go through.
    package struct ConfiguredInput: Sendable {
        /// The plugin.
        package let plugin: Configured<any Input>
        /// The parsers, in this order.
        package let parsers: [Configured<any Parser>]
        /// All that there are, by name: those that an input may choose for single logs.
        package let chosenParsers: [Configured<any Parser>]
    }

    /// An output and how it gets its records.
    package struct ConfiguredOutput: Sendable {
        /// The plugin.
        package let plugin: Configured<any Output>
        /// The settings that every output has.
        package let delivery: DeliverySettings
    }

    /// The settings of the agent itself.
    package struct Agent: SettingsSection {
        /// The node's name; nil to take it from `NODE_NAME` or the host.
        package var node: String?
        /// How long the outputs may go on delivering after the agent was asked to stop.
        package var shutdownGrace: Interval
        /// The least important messages of its own that the agent logs.
        package var logLevel: LogLevel
        /// How the agent logs.
        package var logFormat: LogFormat
        /// How often the summary line is logged.
        package var summaryInterval: Interval

        package init(from fields: inout Fields) {
            node = fields.optional("node", as: String.self)
            shutdownGrace = fields.value("shutdown_grace", default: .seconds(25))
            logLevel = fields.choice("log_level", default: .info)
            logFormat = fields.choice("log_format", default: .text)
            summaryInterval = fields.value("summary_interval", default: .minutes(1), atLeast: .seconds(1))
        }
    }

    /// The importance of the agent's own messages, with the names that swift-log gives them.
    package enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// How the agent's own messages are written.
    package enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }
}
