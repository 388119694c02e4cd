import Attention
import Testing

@testable import Seq2Seq

/// Whole models against PyTorch's. Both compute in float; a number passes through at most 200 additions and functions of
/// relative error u = 2⁻²⁴ each on the way from the parameters, with values of size 1 to 4 in between: 256 u·(largest of
/// its tensor, at least 1) bounds logits and weights, and losses and gradients step by step 1024 u of the largest. Small
/// gradients are differences of larger ones, by how much PyTorch's own float32 tells, which is up to 433 u of a tensor's
/// largest off its float64: gradients may be off that by twice as much, and by 256 u of the tensor's largest.
@Suite struct PyTorchModelTests {
  private static let unit: Float = 0x1p-24
  private static let forward = 256 * unit
  private static let backward = 1024 * unit

  @Test(arguments: RecordedModel.names) func logitsAndWeights(name: String) throws {
    let recorded = try RecordedModel(name)
    let (logits, weights) = recorded.model(recorded.batch)
    let want = try recorded.numbers("logits")
    // PyTorch's sums over padded rows; ours are compared where there are words.
    let (steps, classes) = (logits.shape[1], logits.shape[2])
    for (row, length) in recorded.batch.decoderInput.lengths.enumerated() {
      let range = row * steps * classes..<(row * steps + length) * classes
      let scale = max(1, want[range].reduce(0) { max($0, abs($1)) })
      #expect(largestDifference(Array(logits.scalars[range]), Array(want[range]), scale: scale) < Self.forward)
    }
    if recorded.model.configuration.attention == .none {
      #expect(weights == nil)
    } else {
      let weights = try #require(weights)
      let want = try recorded.numbers("weights")
      for (row, length) in recorded.batch.decoderInput.lengths.enumerated() {
        let range = row * steps * weights.shape[2]..<(row * steps + length) * weights.shape[2]
        #expect(
          largestDifference(Array(weights.scalars[range]), Array(want[range]), scale: 1) < Self.forward)
      }
    }
  }

  @Test(arguments: RecordedModel.names) func losses(name: String) throws {
    let recorded = try RecordedModel(name)
    let want = (nll: Double(try recorded.numbers("nll")[0]), loss: Double(try recorded.numbers("loss")[0]))
    let plain = recorded.model.loss(recorded.batch)
    let smoothed = recorded.model.loss(recorded.batch, smoothing: RecordedModel.smoothing)
    #expect(plain.count == 11 && smoothed.count == 11)
    #expect(abs(plain.loss - want.nll) < Double(Self.forward) * want.nll)
    #expect(plain.loss == plain.negativeLogLikelihood)
    #expect(abs(smoothed.loss - want.loss) < Double(Self.forward) * want.loss)
    #expect(abs(smoothed.negativeLogLikelihood - want.nll) < Double(Self.forward) * want.nll)
  }

  @Test(arguments: RecordedModel.names) func gradients(name: String) throws {
    let recorded = try RecordedModel(name)
    let (_, gradients) = recorded.model.lossWithGradients(recorded.batch, smoothing: RecordedModel.smoothing)
    let named = gradients.named
    #expect(named.map(\.name) == recorded.model.parameters.map(\.name))
    #expect(named.count == recorded.file.names.count { $0.hasPrefix("gradient.") })
    for (gradient, parameter) in zip(named, recorded.model.parameters) {
      let dense = gradient.gradient.dense.scalars
      #expect(dense.count == parameter.tensor.count)
      let errors = try recorded.numbers("error.\(gradient.name)")
      let truth = zip(try recorded.numbers("gradient.\(gradient.name)"), errors).map { Double($0) - Double($1) }
      let difference = zip(dense, truth).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
      let reference = errors.reduce(0) { max($0, Double(abs($1))) }
      let size = truth.reduce(0) { max($0, abs($1)) }
      #expect(difference <= 2 * reference + Double(Self.forward) * size, "\(gradient.name): \(difference)")
    }
  }

  /// Step by step, with every word given, is the same function as all steps at once.
  @Test(arguments: ["additive", "gru-general", "none"]) func stepByStep(name: String) throws {
    let recorded = try RecordedModel(name)
    let encoded = recorded.model.encoder(recorded.batch.source)
    let stepped = recorded.model.decoder.steppedLoss(recorded.batch, encoded, smoothing: 0.1)
    let want = recorded.model.loss(recorded.batch, smoothing: 0.1)
    #expect(abs(stepped.loss - want.loss) <= Double(Self.forward) * want.loss)
    let result = recorded.model.decoder.steppedLossWithGradients(
      recorded.batch, encoded, .init(smoothing: 0.1, gradientScale: 1.0 / 11), teacherForcing: 1, choiceSeed: 3)
    for (part, tensor) in [
      ("decoder.output.weight", result.decoder.output.weight),
      ("decoder.rnn.weight_ih_l0", result.decoder.network.parameters[0].tensor),
      ("decoder.embedding.weight", result.decoder.embedding.dense),
    ] {
      let want = try recorded.numbers("gradient.\(part)")
      #expect(largestDifference(tensor.scalars, want, scale: 1) < Self.backward, "\(part)")
    }
  }

  /// The decoder that search drives finds the probabilities of the model as a whole, in whatever order rows come.
  @Test(arguments: RecordedModel.names) func searchSteps(name: String) throws {
    let recorded = try RecordedModel(name)
    let (batch, model) = (recorded.batch, recorded.model)
    let (logits, weights) = model(batch)
    let decoder = model.decoder(for: batch.source)
    #expect(decoder.vocabularySize == model.target.vocabulary.count)
    var state = decoder.initialState()
    var rows = [0, 1, 2]
    for step in 0..<2 {
      let result = decoder.step(rows.map { batch.decoderInput.ids[$0][step] }, state)
      for (index, row) in rows.enumerated() {
        let classes = decoder.vocabularySize
        let place = (row * logits.shape[1] + step) * classes
        let want = Tensor(Array(logits.scalars[place..<place + classes]), shape: [1, classes]).logSoftmax().scalars
        let got = Array(result.logProbabilities.scalars[index * classes..<(index + 1) * classes])
        #expect(largestDifference(got, want, scale: 4) < Self.forward, "row \(row), step \(step)")
        if let weights {
          let keys = weights.shape[2]
          let place = (row * weights.shape[1] + step) * keys
          let got = Array(result.attention.scalars[index * keys..<(index + 1) * keys])
          #expect(largestDifference(got, Array(weights.scalars[place..<place + keys]), scale: 1) < Self.forward)
        } else {
          #expect(result.attention.scalars.allSatisfy { $0 == 0 })
        }
      }
      let order = [2, 0, 0, 1, 2]
      state = decoder.select(order.filter { $0 < rows.count }, of: result.state)
      rows = order.map { rows[$0] }
    }
  }
}
