import Attention
import Foundation

/// A sentence and its embedding as a line of JSON.
enum EmbeddingLine {
  static func lines(_ sentences: [String], _ embeddings: Tensor) -> [String] {
    let width = embeddings.shape[1]
    return sentences.enumerated().map { row, sentence in
      let numbers = embeddings.scalars[row * width..<(row + 1) * width].map { "\($0)" }
      return #"{"text": \#(quoted(sentence)), "embedding": [\#(numbers.joined(separator: ", "))]}"#
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\0"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
