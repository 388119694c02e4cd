// swift-tools-version: 6.2
import PackageDescription

// OpenMP comes from the system: `libomp-dev` on Debian and Ubuntu, `brew install libomp` on macOS (scripts/setup does
// both). Debian's package keeps omp.h and the -lomp link outside the paths that Swift's clang searches, hence the
// runtime's own file name. -O3 is given here because it comes after SwiftPM's -O0: kernels stay fast in debug builds.
#if os(macOS)
  let openMPCompile: [CSetting] = [.unsafeFlags(["-Xpreprocessor", "-fopenmp", "-O3", "-ffp-contract=off"])]
  let openMPLink: [LinkerSetting] = [
    .unsafeFlags(["-L/opt/homebrew/opt/libomp/lib", "-L/usr/local/opt/libomp/lib"]), .linkedLibrary("omp"),
  ]
#else
  let openMPCompile: [CSetting] = [.unsafeFlags(["-fopenmp", "-O3", "-ffp-contract=off"])]
  let openMPLink: [LinkerSetting] = [.unsafeFlags(["-l:libomp.so.5"]), .linkedLibrary("m")]
#endif

let package = Package(
  name: "swift-attention",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Attention", targets: ["Attention"]),
    .library(name: "AttentionPictures", targets: ["AttentionPictures"]),
    .library(name: "AttentionReference", targets: ["AttentionReference"]),
    .library(name: "Safetensors", targets: ["Safetensors"]),
    .library(name: "Seq2Seq", targets: ["Seq2Seq"]),
    .executable(name: "attention", targets: ["AttentionCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.0.0"),
  ],
  targets: [
    .target(
      name: "CAttention", path: ".", sources: ["Sources/CAttention"], publicHeadersPath: "include",
      cSettings: openMPCompile, linkerSettings: openMPLink),
    .target(name: "Attention", dependencies: ["CAttention", "Safetensors"]),
    .target(name: "AttentionPictures", dependencies: ["Attention"]),
    .target(name: "AttentionReference", dependencies: [.product(name: "RealModule", package: "swift-numerics")]),
    .target(name: "Safetensors"),
    .target(name: "Seq2Seq", dependencies: ["Attention", "Safetensors"]),
    .executableTarget(
      name: "AttentionCommand",
      dependencies: [
        "Attention", "AttentionPictures", "AttentionReference", "Safetensors", "Seq2Seq",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "AttentionTestSupport", path: "Tests/AttentionTestSupport"),
    .testTarget(
      name: "SafetensorsTests", dependencies: ["AttentionTestSupport", "Safetensors"], resources: [.copy("Fixtures")]),
    .testTarget(name: "AttentionPicturesTests", dependencies: ["Attention", "AttentionPictures"]),
    .testTarget(
      name: "AttentionReferenceTests", dependencies: ["AttentionTestSupport", "AttentionReference", "Safetensors"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "LayerTests", dependencies: ["AttentionTestSupport", "Attention", "AttentionReference", "Safetensors"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "Seq2SeqTests", dependencies: ["AttentionTestSupport", "Attention", "Seq2Seq"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "AttentionTests", dependencies: ["AttentionTestSupport", "Attention", "AttentionReference", "Safetensors"]),
    .testTarget(
      name: "AttentionCommandTests",
      dependencies: ["AttentionTestSupport", "AttentionCommand", "AttentionReference", "Safetensors"]),
  ],
  cLanguageStandard: .c11
)
