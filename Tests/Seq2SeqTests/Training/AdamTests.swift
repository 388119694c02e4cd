import Attention
import Foundation
import Safetensors
import Testing

@testable import Seq2Seq

/// Adam against PyTorch's: see Fixtures/make_adam_fixture.py. Six steps with about 15 roundings each of numbers of size
/// up to 4, and PyTorch's own: 2·6·15·u·4 < 720 u with u = 2⁻²⁴.
@Suite struct AdamTests {
  private static let bound: Float = 720 * 0x1p-24

  private func file() throws -> SafetensorsFile {
    let url = Bundle.module.url(forResource: "adam", withExtension: "safetensors", subdirectory: "Fixtures")
    return try SafetensorsFile(contentsOf: try #require(url).path)
  }

  /// Rows of zeros are left out of a sparse gradient, or not.
  @Test(arguments: ["adam", "adamw"], [false, true]) func asPyTorch(name: String, sparse: Bool) throws {
    let file = try file()
    func numbers(_ name: String) throws -> [Float] { try file.tensor(named: name).scalars(as: Float.self) }
    var table = Tensor(try numbers("start"), shape: [9, 5])
    var moments = AdamMoments(shape: [9, 5])
    let adam = Adam(learningRate: 0.02, beta2: 0.99, weightDecay: name == "adamw" ? 0.05 : 0)
    let gradients = try numbers("gradients")
    for step in 0..<6 {
      let dense = Tensor(Array(gradients[step * 45..<(step + 1) * 45]), shape: [9, 5])
      let rows = (0..<9).filter { row in dense.scalars[row * 5..<row * 5 + 5].contains { $0 != 0 } }
      let gradient: ParameterGradient =
        sparse
        ? .sparse(SparseRows(rows: rows, values: dense.gatheringRows(rows), count: 9)) : .dense(dense)
      #expect(gradient.dense == dense)
      let norm = gradient.sumOfSquares.squareRoot()
      adam.step(step + 1, &table, gradient: gradient, &moments, scale: step == 3 ? 1.5 / norm : 1)
    }
    for (got, part) in [(table, name), (moments.mean, name + ".mean"), (moments.square, name + ".square")] {
      #expect(largestDifference(got.scalars, try numbers(part), scale: 1) < Self.bound, "\(part)")
    }
  }

  /// The sums of an embedding's gradient over equal tokens, without the padding's.
  @Test func embeddingRows() {
    let embedding = Embedding(embeddingCount: 7, dimensions: 19, paddingIndex: 0, seed: 2)
    let tokens = [[5, 2, 0], [2, 2, 6]]
    let gradient = Tensor((0..<114).map { Float($0 * $0 % 31) / 8 }, shape: [6, 19])
    let sparse = embedding.sparseGradient(tokens: tokens.flatMap { $0 }, gradient)
    #expect(sparse.rows == [2, 5, 6])
    let dense = embedding.valueWithPullback(tokens).pullback(gradient.reshaped(to: [2, 3, 19])).weight
    #expect(sparse.dense == dense)
  }

  /// Gradients above the norm are scaled down to it, those below are not.
  @Test func clipping() throws {
    let training = SmallTraining()
    let gradients = training.model.lossWithGradients(PairBatch(Array(training.pairs.prefix(8)))).gradients.named
    let norm = gradients.reduce(0.0) { sum, gradient in
      sum + gradient.gradient.dense.scalars.reduce(0.0) { $0 + Double($1) * Double($1) }
    }.squareRoot()
    func moments(clip: Double?) -> [AdamMoments] {
      var (model, optimizer) = (training.model, Optimizer(training.model))
      let found = optimizer.step(&model, gradients, rate: 0.1, clip: clip, decay: 0)
      #expect(abs(found - norm) < 1e-5 * norm)
      return optimizer.moments
    }
    #expect(moments(clip: nil) == moments(clip: 2 * norm))
    for (clipped, whole) in zip(moments(clip: norm / 4), moments(clip: nil)) {
      let quarter = whole.mean.scalars.map { $0 / 4 }
      #expect(largestDifference(clipped.mean.scalars, quarter, scale: 1) < 1e-5 * Float(norm))
    }
  }
}
