import Attention
import Foundation
import Safetensors
import SentenceEmbedding
import Testing

/// What Fixtures/make_fixtures.py and record_minilm.py recorded.
enum Recorded {
  static func path(_ name: String) throws -> String {
    let fixtures = try #require(Bundle.module.path(forResource: "Fixtures", ofType: nil))
    return "\(fixtures)/\(name)"
  }

  /// A text, and what Hugging Face's BertTokenizer makes of it.
  struct Text: Decodable, Sendable {
    var text: String
    /// Small letters, no accents, cut to 24.
    var tokens: [Int]
    /// The same, not cut.
    var untruncated: [Int]
    /// Letters and accents as they are.
    var cased: [Int]
  }

  static func texts() throws -> [Text] {
    try JSONDecoder().decode([Text].self, from: Data(contentsOf: URL(fileURLWithPath: path("tokens.json"))))
  }

  static func sentences() throws -> [String] {
    try String(contentsOfFile: path("sentences.txt"), encoding: .utf8).split(separator: "\n").map(String.init)
  }
}

/// A copy of the small model in a directory of its own, to be damaged; removed when the value goes.
final class ModelCopy {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("model-\(UUID().uuidString)").path
    try FileManager.default.copyItem(atPath: try Recorded.path("tiny"), toPath: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func store(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

  /// Replaces a piece of text that must be there.
  func replace(_ old: String, by new: String, in name: String) throws {
    let text = try String(contentsOfFile: file(name), encoding: .utf8)
    try #require(text.contains(old))
    try store(text.replacingOccurrences(of: old, with: new), as: name)
  }

  /// Writes the weights again, each as `change` gives it; nil drops it.
  func rewriteWeights(
    adding added: [(name: String, shape: [Int])] = [],
    _ change: (String, Tensor) -> (name: String, tensor: Tensor)? = { ($0, $1) }
  ) throws {
    let file = try SafetensorsFile(contentsOf: file("model.safetensors"))
    var writer = SafetensorsWriter()
    for name in file.names {
      let tensor = try file.tensor(named: name)
      guard let (name, changed) = change(name, Tensor(tensor.scalars(as: Float.self), shape: tensor.shape)) else {
        continue
      }
      try writer.add(name, changed.scalars, shape: changed.shape)
    }
    for (name, shape) in added {
      try writer.add(name, [Float](repeating: 0, count: shape.reduce(1, *)), shape: shape)
    }
    try writer.write(to: self.file("model.safetensors"))
  }
}
