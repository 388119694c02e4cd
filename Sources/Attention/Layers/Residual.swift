/// x + branch(norm(x)), or norm(x + branch(x)), and its pullback, from the value and pullback of the branch.
func residual<BranchGradients>(
  _ x: Tensor, norm: LayerNorm, normFirst: Bool,
  branch: (Tensor) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: BranchGradients, input: Tensor))
) -> (
  value: Tensor,
  pullback: @Sendable (Tensor) -> (branch: BranchGradients, norm: LayerNorm.Gradients, input: Tensor)
) {
  if normFirst {
    let (normalized, normPullback) = norm.valueWithPullback(x)
    let (value, branchPullback) = branch(normalized)
    return (
      x.plus(value),
      { gradient in
        let inner = branchPullback(gradient)
        let outer = normPullback(inner.input)
        return (inner.parameters, outer.parameters, gradient.plus(outer.input))
      }
    )
  }
  let (value, branchPullback) = branch(x)
  let (normalized, normPullback) = norm.valueWithPullback(x.plus(value))
  return (
    normalized,
    { gradient in
      let outer = normPullback(gradient)
      let inner = branchPullback(outer.input)
      return (inner.parameters, outer.parameters, outer.input.plus(inner.input))
    }
  )
}
