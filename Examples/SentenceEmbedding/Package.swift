// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library build none of it.
let package = Package(
  name: "sentence-embedding",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "SentenceEmbedding", targets: ["SentenceEmbedding"]),
    .executable(name: "sentence-embedding", targets: ["sentence-embedding"]),
  ],
  dependencies: [
    .package(name: "swift-attention", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .target(
      name: "SentenceEmbedding",
      dependencies: [
        .product(name: "Attention", package: "swift-attention"),
        .product(name: "Safetensors", package: "swift-attention"),
      ]),
    .executableTarget(
      name: "sentence-embedding",
      dependencies: ["SentenceEmbedding", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/SentenceEmbeddingCommand"),
    .testTarget(
      name: "SentenceEmbeddingTests", dependencies: ["SentenceEmbedding", "sentence-embedding"],
      resources: [.copy("Fixtures")]),
  ]
)
