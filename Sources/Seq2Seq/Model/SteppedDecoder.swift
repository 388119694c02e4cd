import Attention

extension SentenceDecoder {
  /// How one step came about, for the way back.
  private struct Step {
    var tokens: [Int]
    var vectors: Tensor
    var dropInput, dropVectors: @Sendable (Tensor) -> Tensor
    var network: RecurrentNetwork.Pullback
    var attention: Alignment.Pullback?
    var combination: CombinationPullback
  }

  /// The network's input of a step: embeddings [B, E], beside the attentional vectors with input feeding.
  func stepInput(_ embedded: Tensor, feed: Tensor?) -> Tensor {
    let x = feed.map { embedded.joined($0) } ?? embedded
    return x.reshaped(to: [x.shape[0], 1, x.shape[1]])
  }

  /// The attentional vectors before the first step, 0; nil without input feeding.
  func firstFeed(rows: Int) -> Tensor? { inputFeeding ? Tensor(repeating: 0, shape: [rows, outputWidth]) : nil }

  /// As ``loss(_:_:smoothing:)``, step by step.
  func steppedLoss(_ batch: PairBatch, _ encoded: SentenceEncoder.Encoded, smoothing: Double) -> CrossEntropy {
    var (state, feed, rows) = (encoded.state, firstFeed(rows: batch.count), [Tensor]())
    let mask = AttentionMask.keyLengths(batch.source.lengths)
    for step in 0..<batch.decoderInput.maximumLength {
      let x = stepInput(embedding(batch.decoderInput.ids.map { $0[step] }), feed: feed)
      let (output, next) = network(x, initialState: state)
      let hidden = output.reshaped(to: [batch.count, output.shape[2]])
      let vectors = combined(attention(hidden, keys: encoded.memory, mask: mask), hidden).value
      if feed != nil { feed = vectors }
      rows.append(vectors)
      state = next
    }
    return output.crossEntropy(
      Self.packed(rows, batch.decoderInput.lengths), targets: batch.decoderOutput.packed, smoothing: smoothing)
  }

  /// The loss and all gradients, step by step: with input feeding, or where some words read are the model's own. Which
  /// are is drawn for each word: with probability `teacherForcing` it is the given one, else what the model finds most
  /// probable after the step before (scheduled sampling, Bengio et al. 2015, arXiv:1506.03099). No gradient passes
  /// through that choice.
  func steppedLossWithGradients(
    _ batch: PairBatch, _ encoded: SentenceEncoder.Encoded, _ options: LossOptions, teacherForcing: Double,
    choiceSeed: UInt64
  ) -> DecoderStepResult {
    let (input, mask) = (batch.decoderInput, AttentionMask.keyLengths(batch.source.lengths))
    var (state, feed, steps, outputs) = (encoded.state, firstFeed(rows: batch.count), [Step](), [Tensor]())
    var choices = SeededGenerator(seed: choiceSeed)
    for step in 0..<input.maximumLength {
      var tokens = input.ids.map { $0[step] }
      if step > 0, teacherForcing < 1 {
        let own = output(outputs[step - 1]).largestOfRows
        for row in tokens.indices where Double(choices.next() >> 11) * 0x1p-53 >= teacherForcing {
          tokens[row] = own[row]
        }
      }
      let seed = options.dropoutSeed.map { subseed($0, 3 + step) }
      let (embedded, dropInput) = dropout.valueWithPullback(embedding(tokens), seed: seed.map { subseed($0, 0) })
      let (value, networkPullback) = network.valueWithPullback(
        stepInput(embedded, feed: feed), initialState: state, dropoutSeed: seed.map { subseed($0, 1) })
      let hidden = value.output.reshaped(to: [batch.count, value.output.shape[2]])
      let attended = attention.valueWithPullback(hidden, keys: encoded.memory, mask: mask)
      let (vectors, combinationPullback) = combined(attended?.value, hidden)
      let (dropped, dropVectors) = dropout.valueWithPullback(vectors, seed: seed.map { subseed($0, 2) })
      if feed != nil { feed = vectors }
      outputs.append(dropped)
      state = value.state
      steps.append(
        Step(
          tokens: tokens, vectors: vectors, dropInput: dropInput, dropVectors: dropVectors, network: networkPullback,
          attention: attended?.pullback, combination: combinationPullback))
    }
    let loss = output.crossEntropy(
      Self.packed(outputs, input.lengths), targets: batch.decoderOutput.packed, smoothing: options.smoothing,
      gradientScale: options.gradientScale)
    return pullback(steps, batch, encoded, loss)
  }

  private func pullback(
    _ steps: [Step], _ batch: PairBatch, _ encoded: SentenceEncoder.Encoded, _ loss: CrossEntropy
  ) -> DecoderStepResult {
    let starts = batch.decoderInput.rowStarts
    let lengths = batch.decoderInput.lengths
    let width = embedding.weight.shape[1]
    var sums: (network: RecurrentGradients, attention: [NamedTensor], combination: Linear.Gradients?)?
    var memory = Tensor(repeating: 0, shape: encoded.memory.shape)
    var (state, feed): (RecurrentState?, Tensor?) = (nil, nil)
    var (tokens, rows): ([Int], [Tensor]) = ([], [])
    for (index, step) in steps.enumerated().reversed() {
      let places = lengths.indices.map { index < lengths[$0] ? starts[$0] + index : -1 }
      var vectors = step.dropVectors(loss.gradients!.hidden.gatheringRows(places))
      if let feed { vectors = vectors + feed }
      var (combination, context, hidden) = step.combination(vectors)
      var attention: [NamedTensor] = []
      if let pullback = step.attention {
        let gradients = pullback(context!)
        hidden = hidden + gradients.queries
        memory = memory + gradients.keys
        attention = gradients.parameters
      }
      var (network, x, first) = step.network(hidden.reshaped(to: [hidden.shape[0], 1, hidden.shape[1]]), state)
      state = first
      x = x.reshaped(to: [x.shape[0], x.shape[2]])
      if inputFeeding { (x, feed) = { ($0.0, $0.1) }(x.columns(splitAt: width)) }
      tokens += step.tokens
      rows.append(step.dropInput(x))
      if let sums {
        network = sums.network + network
        attention = zip(sums.attention, attention).map { NamedTensor($0.name, $0.tensor + $1.tensor) }
        combination = sums.combination.map { $0 + combination! }
      }
      sums = (network, attention, combination)
    }
    let scalars = rows.flatMap(\.scalars)
    return DecoderStepResult(
      loss: loss,
      decoder: Gradients(
        embedding: embedding.sparseGradient(tokens: tokens, Tensor(scalars, shape: [tokens.count, width])),
        network: sums!.network, attention: sums!.attention, combination: sums!.combination,
        output: loss.gradients!.layer),
      memory: memory, state: state!)
  }

  /// Rows [B, W] of each step → [N, W], sentence after sentence without padding.
  private static func packed(_ steps: [Tensor], _ lengths: [Int]) -> Tensor {
    let (batch, width) = (lengths.count, steps[0].shape[1])
    let places = lengths.enumerated().flatMap { row, length in (0..<length).map { $0 * batch + row } }
    return Tensor(steps.flatMap(\.scalars), shape: [steps.count * batch, width]).gatheringRows(places)
  }
}

extension Linear.Gradients {
  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.weight = left.weight + right.weight
    sum.bias = left.bias.map { $0 + right.bias! }
    return sum
  }
}

extension Tensor {
  /// The column of the largest number of each row [N, W]; of equal ones the first.
  var largestOfRows: [Int] {
    let width = shape[1]
    return scalars.withUnsafeBufferPointer { x in
      (0..<shape[0]).map { row in
        var best = row * width
        for index in best + 1..<max((row + 1) * width, best + 1) where x[index] > x[best] { best = index }
        return best - row * width
      }
    }
  }
}
