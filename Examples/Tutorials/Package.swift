// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library build none of it.
let package = Package(
  name: "attention-tutorials",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "tutorials", targets: ["Tutorials"])],
  dependencies: [.package(name: "swift-attention", path: "../..")],
  targets: [
    .executableTarget(
      name: "Tutorials",
      dependencies: [
        .product(name: "Attention", package: "swift-attention"),
        .product(name: "AttentionPictures", package: "swift-attention"),
      ]),
    .testTarget(name: "TutorialsTests", dependencies: ["Tutorials"]),
  ]
)
