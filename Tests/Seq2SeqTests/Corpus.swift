import AttentionTestSupport
import Foundation
import Seq2Seq

/// Sentences of people, kept beside the checkout where there is room for them.
enum Tatoeba {
  static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "../shared/data/tatoeba-cmn-eng/pairs.tsv").path
  static var isThere: Bool { FileManager.default.fileExists(atPath: path) }
}

typealias SeededGenerator = AttentionTestSupport.SeededGenerator

extension AttentionTestSupport.SeededGenerator {
  /// Words from an alphabet so small that they share much.
  mutating func text(words: Int, alphabet: String = "abcd") -> String {
    let letters = Array(alphabet)
    return (0..<words).map { _ in
      String((0..<Int.random(in: 1...6, using: &self)).map { _ in letters.randomElement(using: &self)! })
    }.joined(separator: " ")
  }
}

/// The texts with single spaces and none at the ends.
func singleSpaced(_ text: String) -> String {
  text.unicodeScalars.split { $0.properties.isWhitespace || $0 == "\u{200B}" || $0 == "\u{FEFF}" }
    .map { String($0) }.joined(separator: " ")
}

/// A directory that is removed with what is in it.
final class TemporaryDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "seq2seq-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String, _ bytes: [UInt8]? = nil) throws -> String {
    let file = url.appending(path: name)
    if let bytes { try Data(bytes).write(to: file) }
    return file.path
  }
}
