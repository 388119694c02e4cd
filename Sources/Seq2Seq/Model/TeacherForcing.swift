import Attention

/// What training a batch yields.
struct DecoderStepResult {
  var loss: CrossEntropy
  var decoder: SentenceDecoder.Gradients
  var memory: Tensor
  var state: RecurrentState
}

extension SentenceDecoder {
  /// How the loss of a batch is taken.
  struct LossOptions: Sendable {
    var smoothing = 0.0
    /// What the gradients are those of: this times the loss.
    var gradientScale = 1.0
    var dropoutSeed: UInt64?
  }

  /// The loss of a batch whose words are all given, without gradients and dropout.
  func loss(
    _ batch: PairBatch, _ encoded: SentenceEncoder.Encoded, smoothing: Double
  ) -> CrossEntropy {
    if inputFeeding { return steppedLoss(batch, encoded, smoothing: smoothing) }
    let lengths = batch.decoderInput.lengths
    let (hidden, _) = network(embedding(batch.decoderInput.ids), lengths: lengths, initialState: encoded.state)
    let context = attention(hidden, keys: encoded.memory, mask: .keyLengths(batch.source.lengths))
    let vectors = combined(context?.packingRows(lengths), hidden.packingRows(lengths)).value
    return output.crossEntropy(vectors, targets: batch.decoderOutput.packed, smoothing: smoothing)
  }

  /// The loss and all gradients where every word read is the given one: all steps of the network at once, attention with
  /// many queries at once, and only real target positions from there on.
  func lossWithGradients(
    _ batch: PairBatch, _ encoded: SentenceEncoder.Encoded, _ options: LossOptions
  ) -> DecoderStepResult {
    let (seed, input) = (options.dropoutSeed, batch.decoderInput)
    let steps = input.maximumLength
    let (x, dropInput) = dropout.valueWithPullback(embedding(input.ids), seed: seed.map { subseed($0, 0) })
    let (value, networkPullback) = network.valueWithPullback(
      x, lengths: input.lengths, initialState: encoded.state, dropoutSeed: seed.map { subseed($0, 1) })
    let attended = attention.valueWithPullback(
      value.output, keys: encoded.memory, mask: .keyLengths(batch.source.lengths))
    let (vectors, combinationPullback) = combined(
      attended?.value.packingRows(input.lengths), value.output.packingRows(input.lengths))
    let (dropped, dropVectors) = dropout.valueWithPullback(vectors, seed: seed.map { subseed($0, 2) })
    let loss = output.crossEntropy(
      dropped, targets: batch.decoderOutput.packed, smoothing: options.smoothing, gradientScale: options.gradientScale)

    let outputGradients = loss.gradients!
    let (combinationGradients, context, hidden) = combinationPullback(dropVectors(outputGradients.hidden))
    var hiddenGradient = hidden.unpackingRows(input.lengths, steps: steps)
    let aligned = attended.map { $0.pullback(context!.unpackingRows(input.lengths, steps: steps)) }
    if let aligned { hiddenGradient = hiddenGradient + aligned.queries }
    let (networkGradients, inputGradient, state) = networkPullback(hiddenGradient, nil)
    let tokens = input.ids.flatMap { $0 }
    let rows = dropInput(inputGradient).reshaped(to: [tokens.count, embedding.weight.shape[1]])
    return DecoderStepResult(
      loss: loss,
      decoder: Gradients(
        embedding: embedding.sparseGradient(tokens: tokens, rows), network: networkGradients,
        attention: aligned?.parameters ?? [], combination: combinationGradients, output: outputGradients.layer),
      memory: aligned?.keys ?? Tensor(repeating: 0, shape: encoded.memory.shape), state: state)
  }
}
