// swift-tools-version: 6.2
// The targets are the floors of docs/architecture.md: an import may only point downwards, and unsafe code lives on floor 1 only.
import Foundation
import PackageDescription

// Set to build floors 0 to 4 alone (no packages besides swift-log), for sanitizers and fuzzers.
let lowFloorsOnly = ProcessInfo.processInfo.environment["SLUICE_LOW_FLOORS"] != nil

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let httpClient: [Target.Dependency] = [
    .product(name: "AsyncHTTPClient", package: "async-http-client"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let services: [Target.Dependency] = [
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    .product(name: "UnixSignals", package: "swift-service-lifecycle"),
]

var targets: [Target] = [
    // Floor 0: headers of the system libraries.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CLinux"),

    // Floor 1: the only place for unsafe code.
    .target(name: "Bytes", dependencies: ["CLinux"]),
    .target(name: "Disk", dependencies: ["CLinux"]),
    .target(
        name: "Gzip", dependencies: ["CZlib", .target(name: "CISAL", condition: .when(traits: ["ISAL"]))]),
    .target(
        name: "Journal",
        dependencies: ["CLinux", .target(name: "CSystemd", condition: .when(traits: ["Journald"]))]),

    .target(name: "Patterns", dependencies: ["CPCRE2"]),

    // Floor 2: what is handed along, and what is told about it.
    .target(name: "Records", dependencies: ["Bytes"]),
    .target(name: "Telemetry", dependencies: ["Bytes", "Disk", log]),

    // Floor 3: the store, the node's files, and its journal; records as text.
    .target(name: "Store", dependencies: ["Bytes", "Disk", "Gzip", "Records", "Telemetry"]),
    .target(name: "NodeFiles", dependencies: ["Bytes", "Disk", "Gzip", "Records", "Telemetry"]),

    .target(name: "NodeJournal", dependencies: ["Bytes", "Disk", "Journal", "Records", "Telemetry"]),
    .target(name: "PodMetadata", dependencies: ["Bytes", "Disk", "Records", "Telemetry"]),
    .target(name: "Display", dependencies: ["Bytes", "Disk", "Records"]),

    // Floor 4: plugins, the lane, delivery.
    .target(
        name: "Pipeline",
        dependencies: ["Bytes", "Disk", "Gzip", "Records", "Telemetry", "Store", "PodMetadata"]),

    // Floor 5: questions about what the node holds, and their answers.
    .target(
        name: "Viewer",
        dependencies: [
            "Bytes", "Disk", "Gzip", "Journal", "Records", "Telemetry", "Store", "NodeFiles", "NodeJournal",
            "Patterns", "PodMetadata", "Pipeline", log,
        ]),

    // No floor: what each stage costs, beside the same work in C in the same run (make bench).
    .target(
        name: "CLimits", dependencies: ["CZlib", .target(name: "CISAL", condition: .when(traits: ["ISAL"]))],
        path: "Benchmarks/climits",
        cSettings: [
            .define("ISAL", .when(traits: ["ISAL"])), .enableWarning("all"), .enableWarning("extra"),
            .treatAllWarnings(as: .error),
        ]),
    .executableTarget(
        name: "stagebench",
        dependencies: [
            "Bytes", "Disk", "Gzip", "Records", "Telemetry", "Store", "NodeFiles", "Pipeline", "CLimits", log,
        ],
        path: "Benchmarks/stagebench"),
]

var packages: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2")
]

var tests: [Target] = [
    .target(
        name: "TestKit",
        dependencies: [
            "Bytes", "Disk", "Gzip", "Journal", "Records", "Telemetry", "Store", "NodeFiles", "Pipeline", log,
        ],
        path: "Tests/TestKit"),
    .testTarget(name: "BytesTests", dependencies: ["Bytes"], exclude: ["Vectors"]),
    .testTarget(name: "DiskTests", dependencies: ["Disk", "TestKit"]),
    .testTarget(name: "GzipTests", dependencies: ["Gzip", "Bytes", "Disk", "TestKit"]),
    .testTarget(name: "JournalTests", dependencies: ["Journal", "Bytes", "CLinux", "Disk", "TestKit"]),
    .testTarget(name: "PatternsTests", dependencies: ["Patterns", "TestKit"]),
    .testTarget(name: "RecordsTests", dependencies: ["Records", "Bytes", "TestKit"]),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "TestKit", log]),
    .testTarget(
        name: "StoreTests", dependencies: ["Store", "Bytes", "Disk", "Gzip", "Records", "Telemetry", "TestKit"]),
    .testTarget(
        name: "NodeFilesTests",
        dependencies: ["NodeFiles", "Bytes", "CLinux", "Disk", "Records", "Telemetry", "TestKit"]),
    .testTarget(name: "PodMetadataTests", dependencies: ["PodMetadata", "Bytes", "Disk", "Records", "TestKit"]),
    .testTarget(
        name: "NodeJournalTests",
        dependencies: ["NodeJournal", "Journal", "Bytes", "CLinux", "Disk", "Records", "Telemetry", "TestKit"]),
    .testTarget(
        name: "DisplayTests",
        dependencies: ["Display", "NodeJournal", "Journal", "Bytes", "Disk", "Records", "TestKit"]),
    .testTarget(
        name: "PipelineTests",
        dependencies: ["Pipeline", "Store", "Bytes", "Disk", "Records", "Telemetry", "TestKit"]),
    .testTarget(
        name: "ViewerTests",
        dependencies: [
            "Viewer", "Bytes", "Disk", "Gzip", "Journal", "Records", "Telemetry", "Store", "NodeFiles", "NodeJournal",
            "PodMetadata", "Pipeline", "TestKit",
        ]),
]

if !lowFloorsOnly {
    packages += [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ]
    targets += [
        // Floor 3: connections to web servers.
        .target(name: "HTTPTransport", dependencies: ["Bytes", "Disk", "Gzip"] + httpClient),
        // Floor 4: what the API server or the kubelet tells of pods.
        .target(
            name: "Kubernetes",
            dependencies: ["Bytes", "Disk", "Telemetry", "PodMetadata", "HTTPTransport", log] + httpClient),
        // Floor 5: every built-in plugin, and the configuration file.
        .target(
            name: "Plugins",
            dependencies: [
                "Bytes", "Disk", "Gzip", "Journal", "Records", "Telemetry", "Store", "NodeFiles", "NodeJournal",
                "Display", "PodMetadata", "HTTPTransport", "Pipeline",
                log,
            ] + httpClient),
        .target(
            name: "Settings",
            dependencies: ["Pipeline", "PodMetadata", "Kubernetes", "HTTPTransport", "Bytes", "Disk", "Yams"]),
        // Floor 6: subcommands and wiring.
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Bytes", "Disk", "Gzip", "Records", "Telemetry", "Store", "NodeFiles", "Display", "PodMetadata",
                "Kubernetes",
                "Pipeline", "Plugins", "Settings", "Viewer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), log,
            ] + services),
    ]
    tests += [
        .target(name: "HTTPTestKit", dependencies: ["TestKit"] + httpClient, path: "Tests/HTTPTestKit"),
        .testTarget(
            name: "HTTPTransportTests", dependencies: ["HTTPTransport", "Disk", "TestKit", "HTTPTestKit"] + httpClient),
        .testTarget(
            name: "KubernetesTests",
            dependencies: [
                "Kubernetes", "PodMetadata", "HTTPTransport", "Bytes", "Disk", "Telemetry", "TestKit", "HTTPTestKit",
            ] + httpClient),
        .testTarget(
            name: "PluginsTests",
            dependencies: [
                "Plugins", "Pipeline", "Store", "NodeFiles", "NodeJournal", "Journal", "Bytes", "Disk", "Gzip",
                "Records",
                "PodMetadata", "Telemetry", "TestKit", "HTTPTestKit",
            ] + httpClient),
        .testTarget(
            name: "SettingsTests",
            dependencies: [
                "Bytes", "Settings", "Pipeline", "Plugins", "PodMetadata", "Kubernetes", "HTTPTransport", "TestKit",
            ]),
        .testTarget(name: "HouseTests", dependencies: ["Settings", "Pipeline", "Plugins", "TestKit"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["sluice", "HTTPTestKit", "Store", "Disk", "Journal", "Bytes", "Records", "TestKit"]),
    ]
}

/// One list of settings for every target of ours.
for target in targets + tests where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableExperimentalFeature("Lifetimes"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        // Without it generics are not specialised across targets, and the hot path takes 1.2 times as long (docs/performance.md).
        .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    ]
}

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v26)],
    traits: [
        .trait(
            name: "ISAL",
            description: "Compress with ISA-L (libisal); without it zlib does the same work at a quarter of the speed."),
        .trait(
            name: "Journald",
            description: "Read systemd's journal with libsystemd; without it opening a journal is an error."),
        .default(enabledTraits: ["ISAL", "Journald"]),
    ],
    dependencies: packages,
    targets: targets + tests
)
