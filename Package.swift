// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]
// Whoever takes a library without traits resolves no package.
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["Programs"]))

let package = Package(
    name: "DeepFGS",
    products: [
        .library(name: "DeepFGS", targets: ["DeepFGS"]),
        .library(name: "DeepFGSBitstream", targets: ["DeepFGSBitstream"]),
        .library(name: "DeepFGSTransport", targets: ["DeepFGSTransport"]),
        .executable(name: "deepfgs", targets: ["DeepFGSCLI"]),
        .library(name: "deepfgs-c", type: .dynamic, targets: ["CDeepFGSLibrary", "DeepFGSLibrary"]),
        .executable(name: "deepfgsd", targets: ["deepfgsd"]),
        .library(name: "gstdeepfgs", type: .dynamic, targets: ["GstDeepFGS", "DeepFGSPlugin"]),
    ],
    traits: [
        .trait(name: "Programs", description: "The command line and the daemon, which need a parser of arguments."),
        .default(enabledTraits: ["Programs"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(
            name: "CGStreamer", pkgConfig: "gstreamer-1.0 gstreamer-video-1.0 gstreamer-rtp-1.0",
            providers: [.apt(["libgstreamer1.0-dev", "libgstreamer-plugins-base1.0-dev"])]),
        .systemLibrary(name: "CVips", pkgConfig: "vips lcms2", providers: [.apt(["libvips-dev", "liblcms2-dev"])]),

        // The format: headers, the frames of a stream, the entropy coder. Integers only; depends on nothing.
        .target(name: "DeepFGSBitstream", swiftSettings: settings),
        // The codec: no GStreamer, no Foundation, no package.
        .target(name: "DeepFGS", dependencies: ["DeepFGSBitstream", "CKernels", "COneDNN"], swiftSettings: settings),
        // Convolutions and passes over integers, for each instruction set.
        .target(name: "CKernels"),
        // Packets, cuts, estimates: values in, values out.
        .target(name: "DeepFGSTransport", dependencies: ["DeepFGSBitstream"], swiftSettings: settings),

        // The GStreamer plugin: C shims, the header between, Swift behind it.
        .target(name: "CDeepFGS"),
        .target(
            name: "DeepFGSPlugin", dependencies: ["CDeepFGS", "DeepFGSBitstream", "DeepFGS", "DeepFGSTransport"],
            swiftSettings: settings),
        .target(
            name: "GstDeepFGS", dependencies: ["CDeepFGS", "CGStreamer"], path: "plugins/gstdeepfgs",
            cSettings: [.define("PACKAGE", to: "\"deepfgs\""), .headerSearchPath(".")]),

        // libdeepfgs: the codec for C, behind one header.
        .target(name: "CDeepFGSLibrary"),
        .target(
            name: "DeepFGSLibrary", dependencies: ["CDeepFGSLibrary", "DeepFGS"], exclude: ["exports.map"],
            swiftSettings: settings),

        // Picture files, quality measures, text and files, for the tools.
        .target(name: "CPictures", dependencies: ["CVips"]),
        .target(name: "DeepFGSTools", dependencies: ["DeepFGS", "CPictures"], swiftSettings: settings),
        // The command line.
        .executableTarget(
            name: "DeepFGSCLI",
            dependencies: [
                "DeepFGS", "DeepFGSTools",
                argumentParser,
            ], swiftSettings: settings),

        // The daemon: libsoup and libyaml of the system, no package but the command line's.
        .systemLibrary(
            name: "CServerLibraries",
            pkgConfig: "libsoup-3.0 yaml-0.1 gstreamer-app-1.0 gstreamer-net-1.0 gio-unix-2.0",
            providers: [.apt(["libsoup-3.0-dev", "libyaml-dev", "libgstreamer-plugins-base1.0-dev"])]),
        .target(name: "CDeepFGSServer", dependencies: ["CServerLibraries", "GstDeepFGS"]),
        .target(
            name: "DeepFGSServer",
            dependencies: [
                "CDeepFGSServer", "CGStreamer", "GstDeepFGS", "DeepFGSPlugin", "DeepFGSTransport", "DeepFGS",
                "DeepFGSTools",
            ],
            resources: [.embedInCode("Web/index.html"), .embedInCode("Web/page.js"), .embedInCode("Web/style.css")],
            swiftSettings: settings),
        .executableTarget(
            name: "deepfgsd",
            dependencies: ["DeepFGSServer", argumentParser],
            swiftSettings: settings),
        .testTarget(
            name: "DeepFGSServerTests",
            dependencies: ["DeepFGSServer", "DeepFGSPlugin", "DeepFGSTransport", "DeepFGSTools", "DeepFGS"],
            swiftSettings: settings),

        // What reads bytes from strangers, given any bytes: fuzzed with libFuzzer, replayed by a test.
        .executableTarget(
            name: "DeepFGSFuzz",
            dependencies: ["CDeepFGS", "CKernels", "DeepFGS", "DeepFGSPlugin", "DeepFGSTransport"],
            swiftSettings: settings),
        .testTarget(name: "DeepFGSFuzzTests", dependencies: ["DeepFGSFuzz", "DeepFGS"], swiftSettings: settings),

        .testTarget(name: "DeepFGSBitstreamTests", dependencies: ["DeepFGSBitstream"], swiftSettings: settings),
        .testTarget(name: "DeepFGSTests", dependencies: ["DeepFGS", "CKernels"], swiftSettings: settings),
        .testTarget(
            name: "DeepFGSTransportTests", dependencies: ["DeepFGSBitstream", "DeepFGSTransport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeepFGSLibraryTests", dependencies: ["DeepFGSLibrary", "CDeepFGSLibrary", "DeepFGS"],
            swiftSettings: settings),
        .testTarget(
            name: "DeepFGSToolsTests", dependencies: ["DeepFGSTools", "DeepFGS"],
            swiftSettings: settings),
        .testTarget(
            name: "DeepFGSCLITests", dependencies: ["DeepFGSCLI", "DeepFGSTools", "DeepFGS"], swiftSettings: settings),

        // The elements, registered in the test's own process and driven by GStreamer's harness.
        .systemLibrary(name: "CGstCheck", path: "Tests/CGstCheck", pkgConfig: "gstreamer-check-1.0"),
        .testTarget(
            name: "GstDeepFGSTests",
            dependencies: [
                "GstDeepFGS", "DeepFGSPlugin", "DeepFGSTransport", "CDeepFGS", "DeepFGS", "CGStreamer", "CGstCheck",
            ],
            swiftSettings: settings),
        // The built plugin and the recipes, as commands.
        .testTarget(name: "PipelineTests", swiftSettings: settings),
    ]
)
