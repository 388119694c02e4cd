import Foundation
import Seq2Seq

/// Sentences of people, kept beside the checkout where there is room for them.
enum Tatoeba {
  static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "../shared/data/tatoeba-cmn-eng/pairs.tsv").path
  static var isThere: Bool { FileManager.default.fileExists(atPath: path) }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine for a seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

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
