/// A branch of a transformer layer and what stands around it:
///
///     pre-norm:   x + dropout(branch(norm(x)))
///     post-norm:  norm(x + dropout(branch(x)))
struct Residual: Sendable {
  let norm: LayerNorm
  let normFirst: Bool
  let dropout: Dropout
  /// What the branch drops, and what is dropped of it; nil = nothing.
  private let branchSeed, dropoutSeed: UInt64?

  /// The branch number `index` of a layer whose call has the seed `seed`.
  init(_ index: Int, norm: LayerNorm, normFirst: Bool, dropout: Dropout, seed: UInt64?) {
    self.norm = norm
    self.normFirst = normFirst
    self.dropout = dropout
    branchSeed = Attention.dropoutSeed(seed, place: 2 * index)
    dropoutSeed = Attention.dropoutSeed(seed, place: 2 * index + 1)
  }

  /// `branch` gets its input and its seed.
  func callAsFunction(_ x: Tensor, branch: (Tensor, UInt64?) -> Tensor) -> Tensor {
    let kept = dropout(branch(normFirst ? norm(x) : x, branchSeed), seed: dropoutSeed)
    return normFirst ? x.plus(kept) : norm(x.plus(kept))
  }

  /// The value, and the map of its gradient to those of the branch, of the norm and of x.
  func valueWithPullback<BranchGradients>(
    _ x: Tensor,
    branch: (Tensor, UInt64?) -> (
      value: Tensor, pullback: @Sendable (Tensor) -> (parameters: BranchGradients, input: Tensor)
    )
  ) -> (
    value: Tensor,
    pullback: @Sendable (Tensor) -> (branch: BranchGradients, norm: LayerNorm.Gradients, input: Tensor)
  ) {
    if normFirst {
      let (normalized, normPullback) = norm.valueWithPullback(x)
      let (value, branchPullback) = branch(normalized, branchSeed)
      let (kept, dropoutPullback) = dropout.valueWithPullback(value, seed: dropoutSeed)
      return (
        x.plus(kept),
        { gradient in
          let inner = branchPullback(dropoutPullback(gradient))
          let outer = normPullback(inner.input)
          return (inner.parameters, outer.parameters, gradient.plus(outer.input))
        }
      )
    }
    let (value, branchPullback) = branch(x, branchSeed)
    let (kept, dropoutPullback) = dropout.valueWithPullback(value, seed: dropoutSeed)
    let (normalized, normPullback) = norm.valueWithPullback(x.plus(kept))
    return (
      normalized,
      { gradient in
        let outer = normPullback(gradient)
        let inner = branchPullback(dropoutPullback(outer.input))
        return (inner.parameters, outer.parameters, outer.input.plus(inner.input))
      }
    )
  }
}

extension MultiHeadAttention {
  /// Attention of a sequence over itself, with one gradient for its three uses.
  func overItself(
    _ x: Tensor, mask: AttentionMask, dropoutSeed: UInt64?
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    let (value, pullback) = valueWithPullback(x, keys: x, values: x, mask: mask, dropoutSeed: dropoutSeed)
    return (
      value,
      { gradient in
        let gradients = pullback(gradient)
        return (gradients.parameters, gradients.queries.plus(gradients.keys).plus(gradients.values))
      }
    )
  }
}
