import Foundation

/// `tutorials [NAME|all [FOLDER]]`
@main
struct Tutorials {
  static let examples: [(name: String, run: @Sendable () -> Example)] = [
    ("additive", additiveExample), ("self", selfAttentionExample), ("cross", crossAttentionExample),
    ("sentence", sentenceExample),
  ]

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let name = arguments.first ?? "all"
    let chosen = examples.filter { name == "all" || name == $0.name }
    guard !chosen.isEmpty, arguments.count <= 2 else {
      let names = examples.map(\.name).joined(separator: "|")
      FileHandle.standardError.write(Data("usage: tutorials [\(names)|all [FOLDER]]\n".utf8))
      exit(64)
    }
    for (name, run) in chosen {
      let example = run()
      print("\(name): \(example.results.joined(separator: ", "))\n\n\(example.picture)")
      guard let folder = arguments.dropFirst().first else { continue }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (file, text) in example.files.sorted(by: { $0.key < $1.key }) {
        try text.write(toFile: folder + "/" + file, atomically: true, encoding: .utf8)
        print("wrote \(folder)/\(file)")
      }
      print()
    }
  }
}
