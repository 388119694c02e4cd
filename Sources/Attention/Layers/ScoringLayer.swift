/// An ``AlignmentLayer`` whose scores can be had as they are, before the softmax, for layers that make something else of
/// them, such as ``MonotonicAttention``.
public protocol ScoringLayer: AlignmentLayer {
  /// The scores of queries [B, Tq, Hq] and keys [B, Tk, Hk], [B, Tq, Tk]; −∞ where the mask hides a pair.
  func scores(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> Tensor

  /// The scores, and the map of their gradient to those of the parameters, queries and keys (`values` is nil). Pairs
  /// whose gradient is 0, as it must be of hidden ones, add nothing, whatever they hold.
  func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>)
}

extension ScoringLayer {
  /// The scores.
  public func scores(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> Tensor {
    scoresWithPullback(queries, keys: keys, mask: mask).value
  }
}

extension DotProductAttention: ScoringLayer {
  /// q_i · k_j and the pullback.
  public func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<NoParameters>) {
    ScaledDotProductAttention(scale: 1).scoresWithPullback(queries, keys: keys, mask: mask)
  }
}

extension ScaledDotProductAttention: ScoringLayer {
  /// scale · q_i · k_j and the pullback.
  public func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<NoParameters>) {
    checkScored("ScaledDotProductAttention", queries, keys, queries.shape.last, queries.shape.last)
    let factor = scale ?? 1 / Double(queries.shape[2]).squareRoot()
    return (
      pairScores(queries: queries, keys: keys, scale: factor, mask: mask),
      { gradient in
        let products = gradient.mapped { Float(factor * Double($0)) }
        let (queryGradient, keyGradient) = productGradients(products, queries: queries, keys: keys)
        return AlignmentGradients(
          parameters: NoParameters(), queries: queryGradient, keys: keyGradient, values: nil)
      }
    )
  }
}

extension GeneralAttention: ScoringLayer {
  /// q_iᵀ W k_j and the pullback.
  public func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    checkScored("GeneralAttention", queries, keys, weight.shape[0], weight.shape[1])
    let projected = queries.times(weight)
    return (
      pairScores(queries: projected, keys: keys, scale: 1, mask: mask),
      { gradient in
        let (queryGradient, keyGradient) = productGradients(gradient, queries: projected, keys: keys)
        return AlignmentGradients(
          parameters: Gradients(weight: queries.visibleRows(under: queryGradient).transposedTimes(queryGradient)),
          queries: queryGradient.timesTransposed(weight), keys: keyGradient, values: nil)
      }
    )
  }
}

extension AdditiveAttention: ScoringLayer {
  /// v · tanh(Wq q_i + Wk k_j + b) and the pullback, which takes a tanh for each pair and channel.
  public func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    checkScored("AdditiveAttention", queries, keys, queryWeight.shape[1], (keyWeight ?? queryWeight).shape[1])
    let inputs = checked(queries, keys, nil)
    let (q, k) = projected(inputs)
    return (
      pairScores(queries: q.withoutHead, keys: k.withoutHead, scale: 1, vector: vector, mask: mask),
      { gradient in
        let projections = additiveScoreGradients(gradient, queries: q, keys: k, vector: vector)
        let zeros = Tensor(repeating: 0, shape: keys.shape)
        let gradients = gradients(
          inputs,
          AttentionGradients(
            queries: projections.queries, keys: projections.keys, values: zeros, vector: projections.vector))
        return AlignmentGradients(
          parameters: gradients.parameters, queries: gradients.queries, keys: gradients.keys, values: nil)
      }
    )
  }
}

extension ConcatAttention: ScoringLayer {
  /// v · tanh(W [q_i; k_j]) and the pullback, as ``AdditiveAttention``'s.
  public func scoresWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    checkScored("ConcatAttention", queries, keys, queryDimensions, weight.shape[1] - queryDimensions)
    let (scores, pullback) = split(queries, keys, nil).scoresWithPullback(queries, keys: keys, mask: mask)
    return (scores, { joined(pullback($0)) })
  }
}

private func checkScored(_ layer: String, _ queries: Tensor, _ keys: Tensor, _ queryWidth: Int?, _ keyWidth: Int?) {
  require(
    queries.rank == 3 && keys.rank == 3 && queries.shape[0] == keys.shape[0] && queries.shape[2] == queryWidth
      && keys.shape[2] == keyWidth,
    """
    \(layer): expected queries [B, Tq, \(queryWidth ?? 0)] and keys [B, Tk, \(keyWidth ?? 0)], got \(queries.shape) and \
    \(keys.shape)
    """)
}
