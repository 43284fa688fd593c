// The settings of pods' metadata (`kubernetes:`), and what they come to on this machine.
package import Bytes
private import Foundation
import HTTPTransport
package import Kubernetes
package import Pipeline
package import PodMetadata

extension AgentSettings {
    /// Where the metadata of pods comes from, and which of it records get.
    package struct Kubernetes: SettingsSection {
        /// Who tells of pods.
        package enum Metadata: String, CaseIterable, Sendable {
            /// The API server.
            case api
            /// The kubelet of this node.
            case kubelet
            /// Nobody: the names of log files alone.
            case path
        }

        /// How owners above ReplicaSets and Jobs are found.
        package enum Owners: String, CaseIterable, Sendable {
            /// The API server is asked for them.
            case api
            /// Worked out from names alone.
            case names
        }

        /// Who tells of pods; nil when it depends on the environment (see `source`).
        package let metadata: Metadata?
        /// How long a new log waits for its pod's metadata.
        package let metadataWait: Interval
        /// The path of a kubeconfig; nil for the cluster that we run in.
        package let kubeconfig: String?
        /// The context of the kubeconfig; nil for its current one.
        package let context: String?
        /// Which labels records get: those whose key matches any of the globs; nil for all.
        package let labels: [Glob]?
        /// Which annotations records get, likewise.
        package let annotations: [Glob]
        /// How they stand in records.
        package let labelsStyle: LabelsStyle
        /// Whether records get the labels of their namespace, too.
        package let namespaceLabels: Bool
        /// How owners above ReplicaSets and Jobs are found; without the API server always by their names.
        package let owners: Owners
        /// How the kubelet is reached.
        package let kubelet: Kubelet
        private let origins: Origins

        /// Places for what is found wrong later.
        private struct Origins {
            let section, kubeconfig: SettingsOrigin
        }

        /// The keys that somebody might write into an input.
        static let keys: Set<String> = [
            "metadata", "metadata_wait", "kubeconfig", "labels", "annotations", "labels_style", "namespace_labels",
            "owners", "kubelet",
        ]

        package init(from fields: inout Fields) {
            let given = fields.choice("metadata", default: Metadata.api)
            kubeconfig = fields.optional("kubeconfig", as: String.self)
            // Where it is wrong nothing is said about what would or would not fit it.
            let isKnown = fields.has("metadata") && !fields.problems.hasReport(on: "\(fields.path).metadata")
            let metadata: Metadata? = isKnown ? given : fields.has("kubeconfig") ? .api : nil
            self.metadata = metadata
            metadataWait = fields.value("metadata_wait", default: .seconds(5), atLeast: .zero, atMost: .minutes(1))
            context = fields.optional("context", as: String.self)
            let labels = fields.list("labels", of: Glob.self, refusing: Self.faultOfKeys)
            self.labels = fields.has("labels") && !labels.contains { $0.pattern == "*" } ? labels : nil
            annotations = fields.list("annotations", of: Glob.self, refusing: Self.faultOfKeys)
            labelsStyle = fields.choice("labels_style", default: .nested)
            namespaceLabels = fields.value("namespace_labels", default: false)
            owners = fields.choice("owners", default: metadata == .kubelet || metadata == .path ? .names : .api)
            kubelet = fields.section("kubelet", as: Kubelet.self)
            origins = Origins(section: fields.originOfSection, kubeconfig: fields.origin(of: "kubeconfig"))

            if kubeconfig?.isEmpty == true { fields.refuse("kubeconfig", "is empty, expected a path") }
            if fields.has("context"), !fields.has("kubeconfig") {
                fields.refuse(
                    "context", "is a context of a kubeconfig, and none is named", hint: "set 'kubeconfig', too")
            }
            guard !fields.has("metadata") || isKnown else { return }
            if let metadata, metadata != .api { refuseWhatNeedsAPI(&fields, metadata) }
            if metadata != .kubelet, fields.has("kubelet") {
                let now = metadata.map { ", and it is '\($0.rawValue)'" } ?? ""
                fields.refuse(
                    "kubelet", "is only used with 'metadata: kubelet'\(now)",
                    hint: "set 'metadata: kubelet', or leave this out")
            }
        }

        /// What is wrong with a glob that no key of a label can match; nil when nothing is.
        private static func faultOfKeys(_ glob: Glob) -> SettingMisfit? {
            let isOdd = glob.pattern.contains { ", =".contains($0) } || ["all", "none"].contains(glob.pattern)
            guard isOdd else { return nil }
            return .text(
                "is no pattern of keys",
                hint: "write a list of globs such as [app, \"app.kubernetes.io/*\"], [\"*\"] for all, [] for none")
        }

        private func refuseWhatNeedsAPI(_ fields: inout Fields, _ metadata: Metadata) {
            let needs = "needs 'metadata: api', and it is '\(metadata.rawValue)'"
            if fields.has("kubeconfig") { fields.refuse("kubeconfig", needs, hint: "leave one of them out") }
            if namespaceLabels {
                fields.refuse("namespace_labels", "\(needs): only the API server knows the labels of namespaces")
            }
            if owners == .api {
                fields.refuse("owners", "\(needs): only the API server knows owners of owners", hint: "'owners: names'")
            }
        }

        /// How the kubelet of this node is reached.
        package struct Kubelet: SettingsSection {
            /// nil for port 10250 of the node.
            let address: ServerAddress?
            /// nil for the service account's token, where there is one.
            package let tokenFile: String?
            /// nil for the service account's authority, where there is one.
            package let caFile: String?
            /// Any certificate is taken for right.
            package let insecureSkipVerify: Bool
            /// How often it is asked.
            package let poll: Interval
            let fileOrigins: [(path: String, origin: SettingsOrigin)]

            package init(from fields: inout Fields) {
                let url = fields.optional("url", as: AddressText.self)?.text
                let tokenFile = fields.path("token_file")
                let caFile = fields.path("ca_file")
                insecureSkipVerify = fields.value("insecure_skip_verify", default: false)
                poll = fields.value("poll", default: .seconds(30), atLeast: .seconds(1))
                self.tokenFile = tokenFile
                self.caFile = caFile
                fileOrigins = [("token_file", tokenFile), ("ca_file", caFile)].compactMap { key, path in
                    path.map { ($0, fields.origin(of: key)) }
                }

                address = url.flatMap { Self.address($0, in: &fields) }
                if let address, !address.isSecure {
                    let hint = "write https:// in 'url', or leave this out"
                    if tokenFile != nil {
                        fields.refuse(
                            "token_file", "the url begins with http://, so that everybody could read the token",
                            hint: hint)
                    }
                    for key in ["ca_file", "insecure_skip_verify"] where fields.has(key) {
                        fields.refuse(
                            key, "the url begins with http://, so there is no certificate to check", hint: hint)
                    }
                } else if caFile != nil, insecureSkipVerify {
                    fields.refuse(
                        "insecure_skip_verify", "takes any certificate, while 'ca_file' says which ones to take",
                        hint: "leave one of them out")
                }
            }

            private static func address(_ url: String, in fields: inout Fields) -> ServerAddress? {
                do throws(SettingMisfit) {
                    return try ServerAddress(url, mayHavePath: false)
                } catch {
                    fields.refuse("url", error.message, hint: error.hint)
                    return nil
                }
            }
        }
    }
}

// MARK: - On this machine

extension AgentSettings.Kubernetes {
    /// Where the metadata of pods comes from on this machine.
    package enum Source: Hashable, Sendable {
        /// From the API server.
        case api(ClusterAccess)
        /// From the kubelet, asked so often.
        case kubelet(ClusterAccess, poll: Interval)
        /// From the names of log files.
        case path
    }

    /// Looks at this machine for what is left open: the environment, the service account of this pod, the kubeconfig.
    ///
    /// - Parameters:
    ///   - environment: the value of a variable.
    ///   - folder: where the service account's files are.
    /// - Throws: `SettingsProblem` when something is missing or cannot be read.
    package func source(
        environment: (String) -> String? = SettingsFile.variable,
        serviceAccount folder: String = ClusterAccess.serviceAccountFolder
    ) throws(SettingsProblem) -> Source {
        let isInCluster = environment(InClusterError.hostVariable)?.isEmpty == false
        switch metadata ?? (isInCluster ? .api : .path) {
        case .path: return .path
        case .kubelet: return .kubelet(try kubeletAccess(environment, folder), poll: kubelet.poll)
        case .api:
            guard let kubeconfig else { return .api(try clusterAccess(environment, folder)) }
            do throws(KubeconfigError) {
                return .api(try Kubeconfig.read(path: kubeconfig, context: context))
            } catch {
                throw origins.kubeconfig.problem(error.reason, hint: error.hint)
            }
        }
    }

    private func clusterAccess(
        _ environment: (String) -> String?, _ folder: String
    ) throws(SettingsProblem) -> ClusterAccess {
        do throws(InClusterError) {
            return try ClusterAccess.inCluster(environment: environment, folder: folder)
        } catch {
            throw origins.section.problem(error.reason, hint: "\(error.hint); or set 'metadata: path'")
        }
    }

    private func kubeletAccess(
        _ environment: (String) -> String?, _ folder: String
    ) throws(SettingsProblem) -> ClusterAccess {
        for (path, origin) in kubelet.fileOrigins {
            do throws(SettingsFile.Unreadable) {
                _ = try SettingsFile.contents(of: path)
            } catch {
                throw origin.problem("the file \(path) cannot be read: \(error.reason)")
            }
        }
        // Without `??`, which would make the error an untyped one.
        let address = if let given = kubelet.address { given } else { try nodeAddress(environment) }
        var access = ClusterAccess(server: address.url, credentials: .none, origin: "the kubelet at \(address.url)")
        guard address.isSecure else { return access }
        if let file = kubelet.tokenFile ?? Self.existing(ClusterAccess.tokenFile(in: folder)) {
            access.credentials = .tokenFile(file)
        }
        access.skipsVerification = kubelet.insecureSkipVerify
        if !access.skipsVerification {
            access.authority = (kubelet.caFile ?? Self.existing(ClusterAccess.authorityFile(in: folder)))
                .map { .file($0) }
        }
        return access
    }

    /// Port 10250 of this node, by its address in `NODE_IP`.
    private func nodeAddress(_ environment: (String) -> String?) throws(SettingsProblem) -> ServerAddress {
        let variable = environment("NODE_IP")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        let given = variable.isEmpty ? "127.0.0.1" : variable
        do throws(SettingMisfit) {
            return try ServerAddress("https://\(ClusterAccess.bracketed(given)):10250", mayHavePath: false)
        } catch {
            throw origins.section.problem(
                "the kubelet's address is not known: the environment variable NODE_IP is \(given.quotedForMessage)",
                hint: "set it to an IP address (the field status.hostIP of the pod), or set 'kubelet.url'")
        }
    }

    private static func existing(_ path: String) -> String? {
        FileManager.default.fileExists(atPath: path) ? path : nil
    }
}

extension Fields {
    /// Where the section stands; without a line when the file has none.
    fileprivate var originOfSection: SettingsOrigin {
        names.isEmpty ? SettingsOrigin(file: problems.file, path: path, mark: nil, excerpt: nil) : origin()
    }
}
