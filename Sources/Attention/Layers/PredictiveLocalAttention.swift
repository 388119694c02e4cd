#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Attention to the keys near a position that the query predicts:
///
///     p_i = S · σ(v · tanh(W q_i)),
///     α_ij = softmax over |j − p_i| ≤ D of score(q_i, k_j) · exp(−(j − p_i)² / (2σ²)),  σ = D/2
///     context_i = Σ_j α_ij value_j
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv], A hidden units → context [B, Dv] or
/// [B, Tq, Dv], weights [B, Tk] or [B, Tq, Tk]. S is the number of keys of the sequence, without its padding where the
/// mask has key lengths; keys are counted from 0. As in the paper, weights are not divided by their sum again: they are at
/// most what softmax gave, and sum to at most 1. W and v learn through the Gaussian; the window's ends move by jumps, which
/// have no gradient. Tq × Tk numbers a sequence are made.
///
/// The "local-p" (predictive) attention of Luong et al. 2015 (arXiv:1508.04025), with any layer as its score.
///
/// ```swift
/// let score = GeneralAttention(dimensions: 64, seed: 0)
/// let layer = PredictiveLocalAttention(score, dimensions: 64, window: 10, seed: 1)
/// let context = layer(decoderState, keys: encoded, mask: .keyLengths(lengths))
/// ```
public struct PredictiveLocalAttention<Score: AlignmentLayer>: AlignmentLayer {
  /// The layer that scores.
  public var score: Score
  /// W, [A, Hq].
  public var positionWeight: Tensor
  /// v, [A].
  public var positionVector: Tensor
  /// D, at least 1.
  public let window: Int

  /// Gradients of the parameters.
  public struct Gradients: Sendable {
    /// Of the layer that scores.
    public var score: Score.Gradients
    /// [A, Hq].
    public var positionWeight: Tensor
    /// [A].
    public var positionVector: Tensor
  }

  /// A layer of the given parameters, [A, Hq] and [A].
  public init(_ score: Score, positionWeight: Tensor, positionVector: Tensor, window: Int) {
    self.score = score
    self.positionWeight = positionWeight
    self.positionVector = positionVector
    self.window = window
    check()
  }

  /// A layer with W and v drawn from the seed, uniform in ±1/√inputs as PyTorch's `nn.Linear` does.
  ///
  /// - Parameters:
  ///   - score: The layer that scores.
  ///   - dimensions: Hq.
  ///   - hiddenDimensions: A; Hq unless given.
  ///   - window: D.
  ///   - seed: Names the parameters drawn.
  public init(_ score: Score, dimensions: Int, hiddenDimensions: Int? = nil, window: Int, seed: UInt64) {
    let hidden = hiddenDimensions ?? dimensions
    var generator = InitialGenerator(seed: seed)
    let weight = Linear(dimensions, hidden, bias: false, using: &generator).weight
    let vector = Linear(hidden, 1, bias: false, using: &generator).weight
    self.init(score, positionWeight: weight, positionVector: vector.reshaped(to: [hidden]), window: window)
  }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.asQueries(localWeights(inputs, predict(inputs, mask), mask).weightedSum(of: inputs.values))
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    return AttentionWeights(
      RowWeights(inputs, mask) { queries, mask in
        let chosen = checked(queries, keys, nil)
        return localWeights(chosen, predict(chosen, mask), mask)
      })
  }

  /// The predicted positions p, [B] or [B, Tq].
  public func positions(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> Tensor {
    let inputs = checked(queries, keys, nil)
    return Tensor(
      predict(inputs, mask).centres.map { Float($0) },
      shape: inputs.isOneQuery ? [inputs.batch] : [inputs.batch, inputs.queryLength])
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let predicted = predict(inputs, mask)
    let local = localWeights(inputs, predicted, mask)
    return (
      inputs.asQueries(local.weightedSum(of: inputs.values)),
      { outputGradient in
        let sums = local.weightedSumGradients(of: inputs.values, inputs.checked(outputGradient))
        let scores = scoreGradients(inputs, predicted, sums.weights.scaled(by: gaussian(inputs, predicted)), mask)
        let position = positionGradients(inputs, predicted, local.scaled(by: sums.weights))
        return inputs.gradients(
          Gradients(score: scores.parameters, positionWeight: position.weight, positionVector: position.vector),
          queries: scores.queries.plus(position.queries), keys: scores.keys, values: sums.values)
      }
    )
  }

  private struct Prediction {
    /// tanh(W q), [B, Tq, A].
    var hidden: Tensor
    /// p, [B, Tq].
    var centres: [Double]
    /// S, [B].
    var lengths: [Int]
  }

  private func predict(_ inputs: AlignmentInputs, _ mask: AttentionMask) -> Prediction {
    let lengths = mask.lengths ?? [Int](repeating: inputs.keyLength, count: inputs.batch)
    require(
      lengths.count == inputs.batch,
      "PredictiveLocalAttention: expected \(inputs.batch) key lengths, got \(lengths.count)")
    let hidden = inputs.queries.timesTransposed(positionWeight).mapped { Float(tanh(Double($0))) }
    let width = positionVector.count
    let centres = (0..<inputs.batch * inputs.queryLength).map { row in
      let z = (0..<width).reduce(0) {
        $0 + Double(hidden.scalars[row * width + $1]) * Double(positionVector.scalars[$1])
      }
      return Double(lengths[row / inputs.queryLength]) / (1 + exp(-z))
    }
    return Prediction(hidden: hidden, centres: centres, lengths: lengths)
  }

  private func near(_ inputs: AlignmentInputs, _ predicted: Prediction) -> AttentionMask {
    let attend = predicted.centres.flatMap { centre in
      (0..<inputs.keyLength).map { (Double($0) - centre).magnitude <= Double(window) }
    }
    return .boolean(attend, shape: [inputs.batch, 1, inputs.queryLength, inputs.keyLength])
  }

  private var variance: Double { Double(window * window) / 4 }

  /// exp(−(j − p)² / (2σ²)), [B, Tq, Tk].
  private func gaussian(_ inputs: AlignmentInputs, _ predicted: Prediction) -> Tensor {
    let factors = predicted.centres.flatMap { centre in
      (0..<inputs.keyLength).map { j in
        let distance = Double(j) - centre
        return Float(exp(-distance * distance / (2 * variance)))
      }
    }
    return Tensor(factors, shape: [inputs.batch, inputs.queryLength, inputs.keyLength])
  }

  private func localWeights(
    _ inputs: AlignmentInputs, _ predicted: Prediction, _ mask: AttentionMask
  ) -> Tensor {
    let weights = score.weights(inputs.queries, keys: inputs.keys, mask: mask & near(inputs, predicted))
      .scaled(by: gaussian(inputs, predicted))
    return predicted.centres.contains(where: \.isNaN) ? withUnknownCentres(weights, predicted, mask) : weights
  }

  /// A query that predicts NaN has the weight NaN for what its mask shows, and 0 for the rest.
  private func withUnknownCentres(_ weights: Tensor, _ predicted: Prediction, _ mask: AttentionMask) -> Tensor {
    let (batch, queryLength, keyLength) = (weights.shape[0], weights.shape[1], weights.shape[2])
    let visible = mask.visiblePairs(batch: batch, queryLength: queryLength, keyLength: keyLength)
    var scalars = weights.scalars
    for row in predicted.centres.indices where predicted.centres[row].isNaN {
      for index in row * keyLength..<(row + 1) * keyLength { scalars[index] = visible[index] ? .nan : 0 }
    }
    return Tensor(scalars, shape: weights.shape)
  }

  /// The pullback of the softmax's weights. These are the layer's context over values that mark key j in channel
  /// j mod 2D + 1: the keys in a window are that many at most, and each has a channel of its own. (A channel for every
  /// key would take Tk², and the padding would change how sums round.)
  private func scoreGradients(
    _ inputs: AlignmentInputs, _ predicted: Prediction, _ weightGradient: Tensor, _ mask: AttentionMask
  ) -> AlignmentGradients<Score.Gradients> {
    let (keyLength, channels) = (inputs.keyLength, 2 * window + 1)
    var marks = [Float](repeating: 0, count: inputs.batch * keyLength * channels)
    for key in 0..<inputs.batch * keyLength { marks[key * channels + key % keyLength % channels] = 1 }
    var gradient = [Float](repeating: 0, count: predicted.centres.count * channels)
    for row in predicted.centres.indices {
      for j in 0..<keyLength where weightGradient.scalars[row * keyLength + j] != 0 {
        gradient[row * channels + j % channels] = weightGradient.scalars[row * keyLength + j]
      }
    }
    return score.valueWithPullback(
      inputs.queries, keys: inputs.keys, values: Tensor(marks, shape: [inputs.batch, keyLength, channels]),
      mask: mask & near(inputs, predicted)
    ).pullback(Tensor(gradient, shape: [inputs.batch, inputs.queryLength, channels]))
  }

  /// With c_ij = α_ij · ∂L/∂α_ij: dp = Σ_j c_ij (j − p)/σ², and p = S·σ(z) has ∂p/∂z = p (1 − p/S). A query all of
  /// whose c are 0, as one that may attend to nothing, adds nothing, though it be NaN.
  private func positionGradients(
    _ inputs: AlignmentInputs, _ predicted: Prediction, _ contributions: Tensor
  ) -> (weight: Tensor, vector: Tensor, queries: Tensor) {
    let (keyLength, width) = (inputs.keyLength, positionVector.count)
    var vector = [Double](repeating: 0, count: width)
    var hidden = predicted.hidden.scalars
    for (row, centre) in predicted.centres.enumerated() {
      if contributions.isZero(row: row) {
        for d in 0..<width { hidden[row * width + d] = 0 }
        continue
      }
      let dp =
        (0..<keyLength).reduce(0) {
          $0 + Double(contributions.scalars[row * keyLength + $1]) * (Double($1) - centre)
        } / variance
      let length = Double(predicted.lengths[row / inputs.queryLength])
      let dz = length == 0 ? 0 : dp * centre * (1 - centre / length)
      for d in 0..<width {
        let t = Double(predicted.hidden.scalars[row * width + d])
        vector[d] += dz * t
        hidden[row * width + d] = Float(dz * Double(positionVector.scalars[d]) * (1 - t * t))
      }
    }
    let gradient = Tensor(hidden, shape: predicted.hidden.shape)
    return (
      gradient.transposedTimesVisible(inputs.queries), Tensor(vector.map { Float($0) }, shape: [width]),
      gradient.times(positionWeight)
    )
  }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    check()
    return AlignmentInputs(
      "PredictiveLocalAttention", queries: queries, keys: keys, values: values,
      queryDimensions: positionWeight.shape[1], keyDimensions: nil)
  }

  private func check() {
    require(window >= 1, "PredictiveLocalAttention: expected a window of 1 or more, got \(window)")
    require(
      positionWeight.rank == 2 && positionVector.shape == [positionWeight.shape[0]],
      """
      PredictiveLocalAttention: expected a weight [A, Hq] and a vector [A], got \(positionWeight.shape) and \
      \(positionVector.shape)
      """)
  }
}

extension PredictiveLocalAttention: Equatable where Score: Equatable {}
extension PredictiveLocalAttention.Gradients: Equatable where Score.Gradients: Equatable {}
