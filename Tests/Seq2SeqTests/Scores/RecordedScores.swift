import Foundation
import Seq2Seq
import Testing

/// What Fixtures/make_sacrebleu_fixtures.py recorded.
struct RecordedScores: Decodable, Sendable {
  struct BLEUCase: Decodable, Sendable {
    var tokenization, smoothing: String
    var smoothingValue: Double?
    var lowercase, effectiveOrder: Bool
    var maximumOrder: Int
    var signature, text: String
    var score, brevityPenalty: Double
    var precisions, sentences: [Double]
    var matches, totals: [Int]?
    var hypothesisLength, referenceLength: Int

    var bleu: BLEU {
      get throws {
        let smoothings: [String: BLEU.Smoothing] = [
          "exp": .exponential, "none": .none, "floor": smoothingValue.map { .floor($0) } ?? .floor(),
          "add-k": smoothingValue.map { .addK($0) } ?? .addK(),
        ]
        return BLEU(
          tokenization: try #require(BLEUTokenization(rawValue: tokenization)),
          smoothing: try #require(smoothings[smoothing]), lowercase: lowercase, maximumOrder: maximumOrder,
          effectiveOrder: effectiveOrder)
      }
    }
  }

  struct ChrFCase: Decodable, Sendable {
    var characterOrder, wordOrder: Int
    var beta: Double
    var lowercase, whitespace: Bool
    var signature, name: String
    var score: Double
    var sentences: [Double]

    var chrF: ChrF {
      ChrF(
        characterOrder: characterOrder, wordOrder: wordOrder, beta: beta, lowercase: lowercase, whitespace: whitespace)
    }
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var hypotheses: [String]
    var references: [[String]]
    var bleu: [BLEUCase]
    var chrf: [ChrFCase]

    var testDescription: String { name }
  }

  var version: String
  var cases: [Case]

  static let all: [Case] = {
    let file = Bundle.module.url(forResource: "sacrebleu", withExtension: "json", subdirectory: "Fixtures")!
    return try! JSONDecoder().decode(RecordedScores.self, from: Data(contentsOf: file)).cases
  }()
}
