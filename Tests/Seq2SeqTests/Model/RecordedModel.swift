import Attention
import Foundation
import Safetensors
import Testing

@testable import Seq2Seq

/// A model that PyTorch ran, and what it found: see Fixtures/make_translation_fixtures.py.
struct RecordedModel {
  static let names = [
    "additive", "additive-feeding", "gru-general", "gru-feeding", "unidirectional-dot", "projected-dot", "scaled-dot",
    "concat", "cosine", "none",
  ]
  static let smoothing = 0.1
  static let pairs = [
    EncodedPair(source: [4, 5, 6, 7, 8], target: [5, 4, 9]), EncodedPair(source: [6, 4, 9], target: [7, 6, 10, 4]),
    EncodedPair(source: [5, 8], target: [8]),
  ]

  let model: TranslationModel
  let file: SafetensorsFile

  init(_ name: String) throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "translation-\(name)", withExtension: "safetensors", subdirectory: "Fixtures"))
    file = try SafetensorsFile(contentsOf: url.path)
    model = try TranslationModel(file, prefix: "model")
  }

  var batch: PairBatch { PairBatch(Self.pairs) }

  func numbers(_ name: String) throws -> [Float] { try file.tensor(named: name).scalars(as: Float.self) }
}

/// The largest difference of two lists of numbers, in units of `scale`.
func largestDifference(_ x: [Float], _ y: [Float], scale: Float) -> Float {
  zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}
