/// Attention that never goes back: query i looks at the keys from where query i − 1 stopped, and stops at key j with
/// probability p_ij:
///
///     p_ij = σ(score(q_i, k_j) + r)
///     α_ij = p_ij Σ_{k ≤ j} α_{i−1,k} Π_{k ≤ l < j} (1 − p_il),  α_0 = the first key,  context_i = Σ_j α_ij value_j
///
/// Queries [B, Tq, Hq], in order (or [B, Hq]: the first one), keys [B, Tk, Hk], values [B, Tk, Dv] → context
/// [B, Tq, Dv], weights [B, Tq, Tk]. The weights are the expectation over where the process stops, which has gradients;
/// they sum to at most 1, what is missing being the chance that it ran past the last key. Hidden keys are passed over; a
/// query that may attend to nothing has context 0 and leaves the process where it was. Tq × Tk numbers a sequence are
/// made.
///
/// Once trained, ``decode(_:keys:values:mask:after:)`` takes the one key at which each query stops.
///
/// The monotonic attention of Raffel et al. 2017 (arXiv:1704.00784), with any ``ScoringLayer`` as its energy: additive as
/// there, general or a dot product. Gaussian noise on the energies, which the paper trains with, is not added.
///
/// ```swift
/// let layer = MonotonicAttention(AdditiveAttention(dimensions: 64, seed: 0))
/// let context = layer(decoderStates, keys: encoded, mask: .keyLengths(lengths))
/// ```
public struct MonotonicAttention<Score: ScoringLayer>: AlignmentLayer {
  /// The layer that gives the energies.
  public var score: Score
  /// r: below 0, the process begins by passing most keys.
  public var offset: Float

  /// Gradients of the parameters.
  public struct Gradients: Sendable {
    /// Of the layer that gives the energies.
    public var score: Score.Gradients
    /// Of r.
    public var offset: Float
  }

  /// Monotonic attention by the scores of a layer; r = −1 unless given.
  public init(_ score: Score, offset: Float = -1) {
    self.score = score
    self.offset = offset
  }

  /// The expected context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    let scores = score.scores(inputs.queries, keys: inputs.keys, mask: mask)
    return inputs.asQueries(weights(scores, alignment(scores, mask)).weightedSum(of: inputs.values))
  }

  /// The expected alignment α. All of it is made at once, since each query goes on from the one before.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    let scores = score.scores(inputs.queries, keys: inputs.keys, mask: mask)
    let weights = weights(scores, alignment(scores, mask))
    return AttentionWeights(
      RowWeights(batch: inputs.batch, queryLength: inputs.queryLength, keyLength: inputs.keyLength) {
        weights.choosing(rows: $0)
      })
  }

  /// The expected context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let (scores, scorePullback) = score.scoresWithPullback(inputs.queries, keys: inputs.keys, mask: mask)
    let alignment = alignment(scores, mask)
    let weights = weights(scores, alignment)
    return (
      inputs.asQueries(weights.weightedSum(of: inputs.values)),
      { outputGradient in
        let sums = weights.weightedSumGradients(of: inputs.values, inputs.checked(outputGradient))
        let energies = alignment.pullback(sums.weights.scalars.map { Double($0) })
        let gradients = scorePullback(Tensor(energies.map { Float($0) }, shape: scores.shape))
        return inputs.gradients(
          Gradients(score: gradients.parameters, offset: Float(energies.reduce(0, +))), queries: gradients.queries,
          keys: gradients.keys, values: sums.values)
      }
    )
  }

  /// The key at which each query stops: the first one, from where the query before it stopped, with p > ½.
  ///
  /// A query that runs past the last key stops nowhere, nor do those after it: their contexts are 0. It is what the
  /// expectation becomes as every p goes to 0 or 1.
  ///
  /// - Parameter after: Where the query before the first one stopped, one a sequence, nil where it ran past the end;
  ///   without it, the process begins at the first key. For decoding step by step.
  /// - Returns: The contexts, and the keys in the order of the queries; nil where there is none.
  public func decode(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none, after: [Int?]? = nil
  ) -> (context: Tensor, positions: [Int?]) {
    let inputs = checked(queries, keys, values)
    let (batch, queryLength, keyLength) = (inputs.batch, inputs.queryLength, inputs.keyLength)
    require(
      after == nil || after!.count == batch,
      "MonotonicAttention: expected \(batch) positions of the queries before, got \(after?.count ?? 0)")
    let scores = score.scores(inputs.queries, keys: inputs.keys, mask: mask)
    let visible = mask.visiblePairs(batch: batch, queryLength: queryLength, keyLength: keyLength)
    var positions: [Int?] = []
    for b in 0..<batch {
      var place = after?[b] ?? (after == nil ? 0 : keyLength)
      for row in b * queryLength..<(b + 1) * queryLength {
        let pairs = row * keyLength..<(row + 1) * keyLength
        guard visible[pairs].contains(true) else {
          positions.append(nil)
          continue
        }
        place =
          (place..<keyLength).first {
            visible[pairs.lowerBound + $0] && scores.scalars[pairs.lowerBound + $0] + offset > 0
          } ?? keyLength
        positions.append(place < keyLength ? place : nil)
      }
    }
    return (inputs.asQueries(inputs.chosenValues(positions)), positions)
  }

  private func alignment(_ scores: Tensor, _ mask: AttentionMask) -> MonotonicAlignment {
    MonotonicAlignment(
      energies: scores, offset: offset,
      visible: mask.visiblePairs(batch: scores.shape[0], queryLength: scores.shape[1], keyLength: scores.shape[2]))
  }

  private func weights(_ scores: Tensor, _ alignment: MonotonicAlignment) -> Tensor {
    Tensor(alignment.weights.map { Float($0) }, shape: scores.shape)
  }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    AlignmentInputs(
      "MonotonicAttention", queries: queries, keys: keys, values: values, queryDimensions: nil, keyDimensions: nil)
  }
}

extension MonotonicAttention: Equatable where Score: Equatable {}
extension MonotonicAttention.Gradients: Equatable where Score.Gradients: Equatable {}

extension MonotonicAttention: NamedTensors where Score: NamedTensors {
  /// `offset`, a single number of shape [], and the energies' layer in `score`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    [NamedTensor("offset", Tensor([offset], shape: []))] + score.parameters(naming: naming).scoped(to: "score")
  }
}

extension MonotonicAttention: ParameterContainer where Score: ParameterContainer {
  /// Takes r and the parameters of the energies' layer.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    offset = try reader.tensor("offset", shape: []).scalars[0]
    try score.update(from: reader.scoped(to: "score"))
  }
}

extension MonotonicAttention.Gradients: NamedTensors where Score.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    [NamedTensor("offset", Tensor([offset], shape: []))] + score.parameters(naming: naming).scoped(to: "score")
  }
}
