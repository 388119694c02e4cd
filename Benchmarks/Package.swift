// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library build none of it.
let package = Package(
  name: "attention-benchmarks",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "attention-benchmarks", targets: ["attention-benchmarks"])],
  dependencies: [
    .package(name: "swift-attention", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    // -O2 comes after SwiftPM's -O0: unoptimised, every accumulator lives on the stack. Contraction is off because the
    // portable kernels are built so.
    .target(name: "CPeak", cSettings: [.unsafeFlags(["-O2", "-ffp-contract=off"])]),
    .target(name: "BenchmarkSupport"),
    .executableTarget(
      name: "attention-benchmarks",
      dependencies: [
        "BenchmarkSupport", "CPeak",
        .product(name: "Attention", package: "swift-attention"),
        .product(name: "AttentionReference", package: "swift-attention"),
        .product(name: "Seq2Seq", package: "swift-attention"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/AttentionBenchmarks"),
    .testTarget(name: "BenchmarkSupportTests", dependencies: ["BenchmarkSupport"]),
  ],
  cLanguageStandard: .c11
)
