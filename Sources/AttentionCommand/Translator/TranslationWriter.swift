import Foundation
import Seq2Seq

/// What `attention translate` says of each sentence.
struct TranslationWriter {
  enum Format {
    /// A line with the best translation.
    case text
    /// A line for each translation: the sentence's number, the score and the text, with tabs between them.
    case table
    /// A JSON object a line.
    case json
  }

  var format: Format
  /// Whether the alignment of the best comes as well.
  var withAlignment: Bool

  /// The lines of a sentence, counted from 1.
  func lines(_ source: String, number: Int, _ translations: [Translation]) throws -> String {
    switch format {
    case .json: return try json(source, translations)
    case .text: return translations[0].text + "\n" + alignment(translations[0])
    case .table:
      // A blank line stays one, as it does without --n-best.
      if translations[0].sourceTokens.isEmpty { return "\n" }
      return translations.map { "\(number)\t\(String(format: "%.4f", $0.score))\t\($0.text)\n" }.joined()
        + alignment(translations[0])
    }
  }

  private func alignment(_ translation: Translation) -> String {
    withAlignment && !translation.attention.scalars.isEmpty ? translation.alignmentText + "\n" : ""
  }

  private func json(_ source: String, _ translations: [Translation]) throws -> String {
    struct Line: Encodable {
      var source: String
      var sourceTokens: [String]
      var translations: [Candidate]
    }
    struct Candidate: Encodable {
      var text: String
      var tokens: [String]
      var score, logProbability: Double
      var isComplete: Bool
      var attention: [[Float]]?
    }
    let line = Line(
      source: source, sourceTokens: translations[0].sourceTokens,
      translations: translations.map { translation in
        Candidate(
          text: translation.text, tokens: translation.tokens, score: translation.score,
          logProbability: translation.logProbability, isComplete: translation.isComplete,
          attention: withAlignment ? translation.attentionRows : nil)
      })
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(line), as: UTF8.self) + "\n"
  }
}

extension Translation {
  /// A row for each token.
  fileprivate var attentionRows: [[Float]] {
    let width = attention.shape[1]
    return tokens.indices.map { Array(attention.scalars[$0 * width..<($0 + 1) * width]) }
  }
}
