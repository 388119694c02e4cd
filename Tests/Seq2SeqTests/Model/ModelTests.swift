import Attention
import Foundation
import Safetensors
import Testing

@testable import Seq2Seq

@Suite struct ModelTests {
  /// Attention is really used: with the encoder's states permuted the weights are permuted, with those of another
  /// sentence, or others altogether, the words' probabilities change; and so they do for a reversed source.
  @Test(arguments: ["additive", "gru-general", "concat", "cosine", "scaled-dot"])
  func encoderStatesMatter(name: String) throws {
    let model = try RecordedModel(name).model
    let (first, second) = (RecordedModel.pairs[0], [9, 8, 4, 4, 6])
    let batch = PairBatch([first, EncodedPair(source: second, target: first.target)])
    var encoded = model.encoder(batch.source)
    let width = encoded.memory.shape[2]
    func permuted(_ rows: [Int]) -> Tensor {
      encoded.memory.reshaped(to: [10, width]).gatheringRows(rows).reshaped(to: encoded.memory.shape)
    }
    let before = model.decoder.loss(batch, encoded, smoothing: 0).loss
    let queries = Tensor((0..<2 * model.configuration.hiddenDimensions).map { Float($0) / 8 }, shape: [2, 4])
    let weights = model.decoder.attention.weights(queries, keys: encoded.memory, mask: .none)!
    let order = [4, 2, 0, 3, 1]
    let moved = model.decoder.attention.weights(queries, keys: permuted(order + order.map { $0 + 5 }), mask: .none)!
    #expect(moved.scalars != weights.scalars)
    // A sum of five in another order: two roundings of a few.
    let want = (order + order.map { $0 + 5 }).map { weights.scalars[$0] }
    #expect(largestDifference(moved.scalars, want, scale: 1) < 16 * 0x1p-24)
    encoded.memory = permuted([5, 6, 7, 8, 9, 0, 1, 2, 3, 4])
    #expect(abs(model.decoder.loss(batch, encoded, smoothing: 0).loss - before) > 1e-5)
    encoded.memory = encoded.memory + Tensor(repeating: 0.5, shape: encoded.memory.shape)
    #expect(abs(model.decoder.loss(batch, encoded, smoothing: 0).loss - before) > 1e-4)
    let reversed = PairBatch([EncodedPair(source: first.source.reversed(), target: first.target)])
    #expect(abs(model.loss(reversed).loss - model.loss(PairBatch([first])).loss) > 1e-4)
  }

  /// Local attention goes by place: there a permutation of the states is another sentence.
  @Test func localAttentionGoesByPlace() throws {
    var configuration = ModelConfiguration()
    configuration.attention = .local
    configuration.localWindow = 2
    configuration.hiddenDimensions = 6
    configuration.embeddingDimensions = 5
    let recorded = try RecordedModel("additive")
    let model = TranslationModel(configuration, source: recorded.model.source, target: recorded.model.target, seed: 4)
    let batch = PairBatch([RecordedModel.pairs[0]])
    var encoded = model.encoder(batch.source)
    let before = model.decoder.loss(batch, encoded, smoothing: 0)
    encoded.memory = encoded.memory.reshaped(to: [5, 12]).gatheringRows([4, 2, 0, 3, 1]).reshaped(to: [1, 5, 12])
    #expect(abs(model.decoder.loss(batch, encoded, smoothing: 0).loss - before.loss) > 1e-4)
  }

  /// Directional derivatives of the loss by central differences, for every kind of attention and both ways of training.
  /// A step h = 2⁻⁸ along a unit direction leaves an error of order h² of the third derivative and of 2 u·loss/h of
  /// rounding, 2⁻²⁴·2·25·2⁸ < 8e-4; the bound is 4e-3.
  @Test(arguments: ModelConfiguration.Attention.allCases, [false, true])
  func finiteDifferences(attention: ModelConfiguration.Attention, feeding: Bool) throws {
    var configuration = ModelConfiguration()
    configuration.attention = attention
    configuration.inputFeeding = feeding
    configuration.localWindow = 2
    configuration.hiddenDimensions = 6
    configuration.embeddingDimensions = 5
    configuration.dropout = 0
    let recorded = try RecordedModel("additive")
    let model = TranslationModel(configuration, source: recorded.model.source, target: recorded.model.target, seed: 7)
    let batch = recorded.batch
    let gradients = model.lossWithGradients(batch, smoothing: 0.1).gradients.named
    var generator = SeededGenerator(seed: 11)
    for round in 0..<3 {
      var direction = gradients.map { _ in [Float]() }
      var norm = 0.0
      for (index, gradient) in gradients.enumerated() {
        direction[index] = gradient.gradient.dense.scalars.map { _ in
          Float(Double(generator.next() >> 11) * 0x1p-52 - 1)
        }
        norm += direction[index].reduce(0) { $0 + Double($1) * Double($1) }
      }
      let h = 0x1p-8
      func moved(by distance: Double) -> Double {
        var copy = model
        var index = 0
        copy.forEachParameter { parameter in
          let step = direction[index]
          parameter = Tensor(
            zip(parameter.scalars, step).map { $0 + Float(distance / norm.squareRoot()) * $1 }, shape: parameter.shape)
          index += 1
        }
        return copy.loss(batch, smoothing: 0.1).loss / Double(batch.targetTokenCount)
      }
      let difference = (moved(by: h) - moved(by: -h)) / (2 * h)
      // The padding's row is not trained, and moves here.
      let slope =
        zip(gradients, direction).reduce(0.0) { sum, pair in
          sum + zip(pair.0.gradient.dense.scalars, pair.1).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        } / norm.squareRoot()
      #expect(abs(difference - slope) < 4e-3, "\(attention), round \(round): \(difference), \(slope)")
    }
  }

  /// A sentence's loss does not depend on the batch, but for the order of the sum over the batch's tokens.
  @Test func batchesDoNotMatter() throws {
    let recorded = try RecordedModel("additive")
    let alone = RecordedModel.pairs.reduce(0) { $0 + recorded.model.loss(PairBatch([$1])).loss }
    #expect(abs(alone - recorded.model.loss(recorded.batch).loss) < 1e-12 * alone)
  }

  /// Sentences without tokens, and unknown words, are translated too.
  @Test(arguments: RecordedModel.names) func emptySentences(name: String) throws {
    let model = try RecordedModel(name).model
    for sources in [[[], [4, 5]], [[]], [[1, 1, 1]]] as [[[Int]]] {
      let decoder = model.decoder(for: SentenceBatch(sources))
      let result = decoder.step(sources.map { _ in Vocabulary.start }, decoder.initialState())
      #expect(result.logProbabilities.scalars.allSatisfy { $0.isFinite && $0 < 0 })
      #expect(result.attention.shape == [sources.count, sources.map(\.count).max()!])
    }
  }

  @Test func savedAndLoaded() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for name in RecordedModel.names {
      let model = try RecordedModel(name).model
      try model.save(to: path)
      #expect(try TranslationModel.load(from: path) == model)
    }
  }

  @Test func filesThatAreNoModels() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(throws: ModelError.self) { try TranslationModel.load(from: path) }
    try SafetensorsWriter().write(to: path)
    let error = #expect(throws: ModelError.self) { try TranslationModel.load(from: path) }
    #expect(error?.description.contains("expected a translation model") == true)
    let model = try RecordedModel("additive").model
    var metadata = model.metadata
    metadata["configuration"] = model.configuration.json.replacingOccurrences(of: "\"layers\":1", with: "\"layers\":0")
    try SafetensorsWriter(metadata: metadata).write(to: path)
    let wrong = #expect(throws: ModelError.self) { try TranslationModel.load(from: path) }
    #expect(wrong?.description.contains("layers is 0") == true)
    try SafetensorsWriter(metadata: model.metadata).write(to: path)
    let missing = #expect(throws: ModelError.self) { try TranslationModel.load(from: path) }
    #expect(missing?.description.contains("encoder.embedding.weight") == true)
  }
}
