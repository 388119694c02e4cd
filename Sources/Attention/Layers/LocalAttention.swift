/// Attention to the keys near a given position:
///
///     α_ij = softmax over |j − p_i| ≤ D of score(q_i, k_j),  context_i = Σ_j α_ij value_j
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv], a position p for each query, counted from 0 →
/// context [B, Dv] or [B, Tq, Dv], weights [B, Tk] or [B, Tq, Tk], 0 outside the window. Without positions, query i
/// stands at key i.
///
/// The "local-m" (monotonic) attention of Luong et al. 2015 (arXiv:1508.04025), with any layer as its score; "global"
/// attention is that layer itself. ``PredictiveLocalAttention`` is their "local-p".
///
/// ```swift
/// let layer = LocalAttention(GeneralAttention(dimensions: 64, seed: 0), window: 10)
/// let context = layer(decoderState, keys: encoded, positions: [12, 7])
/// ```
public struct LocalAttention<Score: AlignmentLayer>: AlignmentLayer {
  /// The layer that scores.
  public var score: Score
  /// D: how many keys on either side of the position are seen.
  public let window: Int

  /// Those of the layer that scores.
  public typealias Gradients = Score.Gradients

  /// Attention of a layer to the 2·`window` + 1 keys around a position.
  public init(_ score: Score, window: Int) {
    require(window >= 0, "LocalAttention: expected a window of 0 or more, got \(window)")
    self.score = score
    self.window = window
  }

  /// The context, every query at the position of its own index.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    self(queries, keys: keys, values: values, positions: nil, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    weightsOnDemand(queries, keys: keys, positions: nil, mask: mask)
  }

  /// The context and its pullback, every query at the position of its own index.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    valueWithPullback(queries, keys: keys, values: values, positions: nil, mask: mask)
  }

  /// The context. `positions` has p for each query, in the order of the queries: B or B·Tq of them.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, positions: [Int]?, mask: AttentionMask = .none
  ) -> Tensor {
    score(queries, keys: keys, values: values, mask: near(positions, queries, keys, values, mask))
  }

  /// The weights α.
  public func weights(
    _ queries: Tensor, keys: Tensor, positions: [Int]?, mask: AttentionMask = .none
  ) -> Tensor {
    score.weights(queries, keys: keys, mask: near(positions, queries, keys, nil, mask))
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, positions: [Int]?, mask: AttentionMask = .none
  ) -> AttentionWeights {
    score.weightsOnDemand(queries, keys: keys, mask: near(positions, queries, keys, nil, mask))
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, positions: [Int]?, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    score.valueWithPullback(
      queries, keys: keys, values: values, mask: near(positions, queries, keys, values, mask))
  }

  /// Positions that advance by one from query to query are a window, whose keys alone are visited; others, and masks
  /// that bring an alignment of their own, take one truth value a pair.
  private func near(
    _ positions: [Int]?, _ queries: Tensor, _ keys: Tensor, _ values: Tensor?, _ mask: AttentionMask
  ) -> AttentionMask {
    let inputs = AlignmentInputs(
      "LocalAttention", queries: queries, keys: keys, values: values, queryDimensions: nil, keyDimensions: nil)
    let (batch, length) = (inputs.batch, inputs.queryLength)
    let positions = positions ?? (0..<batch * length).map { $0 % max(length, 1) }
    require(
      positions.count == batch * length,
      "LocalAttention: expected \(batch * length) positions for queries \(queries.shape), got \(positions.count)")
    let offsets = (0..<batch).map { length == 0 ? 0 : positions[$0 * length] }
    let advancesByOne = positions.indices.allSatisfy { positions[$0] == offsets[$0 / length] + $0 % length }
    if advancesByOne && mask.alignment == nil && !mask.isCausal && mask.windowLeft == nil && mask.windowRight == nil {
      return mask & .window(left: window, right: window) & .aligned(queryOffsets: offsets)
    }
    let keyLength = inputs.keyLength
    let attend = positions.flatMap { position in (0..<keyLength).map { ($0 - position).magnitude <= window } }
    return mask & .boolean(attend, shape: [batch, 1, length, keyLength])
  }
}

extension LocalAttention: Equatable where Score: Equatable {}
