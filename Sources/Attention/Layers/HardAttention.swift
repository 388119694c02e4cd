/// Attention to one key instead of to a mixture of all:
///
///     s_i = argmax_j α_ij  or  s_i ∼ α_i,  context_i = value_{s_i},  α = the weights of a soft layer
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv] → context [B, Dv] or [B, Tq, Dv], one-hot
/// weights [B, Tk] or [B, Tq, Tk]. A query that may attend to nothing chooses nothing: context and weights 0. Drawing
/// makes all α, Tq × Tk numbers a sequence; the arg-max keeps one a query.
///
/// The "hard" attention of Xu et al. 2015 (arXiv:1502.03044), against their "soft" one, which every other layer here
/// is. The arg-max is for use: its gradient reaches the values alone. To train, draw a sample: its score-function
/// gradient (REINFORCE, Williams 1992) is right on average.
///
/// ```swift
/// let hard = HardAttention(GeneralAttention(dimensions: 64, seed: 0))
/// let context = hard(query, keys: regions)
/// let (sample, pullback) = hard.sampleWithPullback(query, keys: regions, seed: step)
/// let gradients = pullback(contextGradient, losses - baseline)
/// ```
public struct HardAttention<Score: AlignmentLayer>: AlignmentLayer {
  /// The soft layer whose weights are chosen from.
  public var score: Score

  /// Those of the soft layer.
  public typealias Gradients = Score.Gradients

  /// Hard attention by the weights of a soft layer.
  public init(_ score: Score) { self.score = score }

  /// What was drawn.
  public struct Sample: Sendable, Equatable {
    /// [B, Dv] or [B, Tq, Dv].
    public var context: Tensor
    /// s, the chosen key of each query in the order of the queries; nil where there was none to choose.
    public var positions: [Int?]
    /// α_{i s_i}, with which it was drawn, [B] or [B, Tq]; 0 where nothing was.
    public var probabilities: Tensor
  }

  /// The context: the value with the largest weight, the first of equals.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.asQueries(inputs.chosenValues(best(inputs, mask)))
  }

  /// 1 for the chosen key, 0 for the others.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    AttentionWeights(
      RowWeights(checked(queries, keys, nil), mask) { queries, mask in
        let chosen = checked(queries, keys, nil)
        var weights = Tensor(repeating: 0, shape: [chosen.batch, chosen.queryLength, chosen.keyLength])
        for (row, position) in best(chosen, mask).enumerated() {
          if let position { weights[row / chosen.queryLength, row % chosen.queryLength, position] = 1 }
        }
        return weights
      })
  }

  /// The keys with the largest weights in the order of the queries; nil where a query may attend to nothing.
  public func positions(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> [Int?] {
    best(checked(queries, keys, nil), mask)
  }

  /// The context and its pullback. The gradients of queries, keys and parameters are 0: the choice does not change with
  /// them but by jumps.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let chosen = best(inputs, mask)
    return (
      inputs.asQueries(inputs.chosenValues(chosen)),
      { outputGradient in
        let none = [Float](repeating: 0, count: chosen.count)
        return gradients(inputs, mask, chosen, inputs.checked(outputGradient), advantages: none)
      }
    )
  }

  /// A key drawn for each query with the probabilities α. A seed draws the same keys every time, whatever the number of
  /// threads.
  public func sample(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none, seed: UInt64
  ) -> Sample {
    draw(checked(queries, keys, values), mask, seed)
  }

  /// A sample, and the gradient of the expected loss as it estimates it:
  ///
  ///     (L_i − baseline) ∇ ln α_{i s_i}  +  the gradient through the chosen values
  ///
  /// Its mean over seeds is the gradient of E[Σ_i L_i], whatever baseline that does not depend on the sample is taken
  /// off; a good one, such as a running mean of the losses, makes it less noisy.
  ///
  /// The pullback takes the gradient of the loss in the context, and L − baseline for each query, [B] or [B, Tq].
  public func sampleWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none, seed: UInt64
  ) -> (
    sample: Sample,
    pullback: @Sendable (_ outputGradient: Tensor, _ advantages: Tensor) -> AlignmentGradients<Gradients>
  ) {
    let inputs = checked(queries, keys, values)
    let sample = draw(inputs, mask, seed)
    return (
      sample,
      { outputGradient, advantages in
        require(
          advantages.shape == sample.probabilities.shape,
          "HardAttention: expected losses \(sample.probabilities.shape), one a query, got \(advantages.shape)")
        return gradients(
          inputs, mask, sample.positions, inputs.checked(outputGradient), advantages: advantages.scalars)
      }
    )
  }

  /// ∇ ln α_s = ∇α_s / α_s. The α_s are soft contexts: channel i of the values marks the key that query i chose, so
  /// that channel i of context i is α_{i s_i}.
  private func gradients(
    _ inputs: AlignmentInputs, _ mask: AttentionMask, _ chosen: [Int?], _ outputGradient: Tensor,
    advantages: [Float]
  ) -> AlignmentGradients<Gradients> {
    let (queryLength, width) = (inputs.queryLength, inputs.valueDimensions)
    var marks = Tensor(repeating: 0, shape: [inputs.batch, inputs.keyLength, queryLength])
    var valueGradient = [Float](repeating: 0, count: inputs.values.count)
    for (row, position) in chosen.enumerated() {
      guard let position else { continue }
      marks[row / queryLength, position, row % queryLength] = 1
      let first = inputs.firstOfValue(row, position)
      for d in 0..<width { valueGradient[first + d] += outputGradient.scalars[row * width + d] }
    }
    let (chances, pullback) = score.valueWithPullback(inputs.queries, keys: inputs.keys, values: marks, mask: mask)
    var chanceGradient = Tensor(repeating: 0, shape: chances.shape)
    for row in chosen.indices where chosen[row] != nil && advantages[row] != 0 {
      let (b, i) = (row / queryLength, row % queryLength)
      chanceGradient[b, i, i] = advantages[row] / chances[b, i, i]
    }
    let gradients = pullback(chanceGradient)
    return inputs.gradients(
      gradients.parameters, queries: gradients.queries, keys: gradients.keys,
      values: Tensor(valueGradient, shape: inputs.values.shape))
  }

  private func best(_ inputs: AlignmentInputs, _ mask: AttentionMask) -> [Int?] {
    score.weightsOnDemand(inputs.queries, keys: inputs.keys, mask: mask).largest(1).keys
  }

  private func draw(_ inputs: AlignmentInputs, _ mask: AttentionMask, _ seed: UInt64) -> Sample {
    let rows = rows(inputs, mask)
    var positions: [Int?] = []
    for (row, weights) in rows.enumerated() {
      var generator = InitialGenerator(seed: InitialGenerator.number(row, seed: seed))
      let threshold = generator.uniform() * weights.reduce(0) { $0 + Double($1) }
      var sum = 0.0
      let last = weights.lastIndex { $0 != 0 }
      let drawn = weights.indices.first { index in
        sum += Double(weights[index])
        return weights[index] != 0 && sum > threshold
      }
      positions.append((drawn ?? last).map { $0 - weights.startIndex })
    }
    let probabilities = zip(rows, positions).map { row, position in position.map { row[row.startIndex + $0] } ?? 0 }
    return Sample(
      context: inputs.asQueries(inputs.chosenValues(positions)), positions: positions,
      probabilities: Tensor(
        probabilities, shape: inputs.isOneQuery ? [inputs.batch] : [inputs.batch, inputs.queryLength]))
  }

  /// The weights of each query.
  private func rows(_ inputs: AlignmentInputs, _ mask: AttentionMask) -> [ArraySlice<Float>] {
    let weights = score.weights(inputs.queries, keys: inputs.keys, mask: mask).scalars
    return (0..<inputs.batch * inputs.queryLength).map { row in
      weights[row * inputs.keyLength..<(row + 1) * inputs.keyLength]
    }
  }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    AlignmentInputs(
      "HardAttention", queries: queries, keys: keys, values: values, queryDimensions: nil, keyDimensions: nil)
  }
}

extension HardAttention: Equatable where Score: Equatable {}

extension AlignmentInputs {
  fileprivate func firstOfValue(_ row: Int, _ position: Int) -> Int {
    (row / queryLength * keyLength + position) * valueDimensions
  }

  /// The values at the positions, [B, Tq, Dv]; 0 at none.
  func chosenValues(_ positions: [Int?]) -> Tensor {
    var rows: [Float] = []
    for (row, position) in positions.enumerated() {
      if let position {
        let first = firstOfValue(row, position)
        rows += values.scalars[first..<first + valueDimensions]
      } else {
        rows += [Float](repeating: 0, count: valueDimensions)
      }
    }
    return Tensor(rows, shape: [batch, queryLength, valueDimensions])
  }
}
