/// Scaled dot-product attention:
///
///     α_ij = softmax_j(scale · q_i · k_j),  context_i = Σ_j α_ij value_j,  scale = 1/√D unless given
///
/// Queries [B, D] or [B, Tq, D], keys [B, Tk, D], values [B, Tk, Dv] → context [B, Dv] or [B, Tq, Dv], weights [B, Tk]
/// or [B, Tq, Tk].
///
/// The attention of Vaswani et al. 2017 (arXiv:1706.03762) with one head: softmax(Q Kᵀ/√D) V.
///
/// ```swift
/// let (output, weights) = ScaledDotProductAttention().attend(x, keys: x, mask: .causal)
/// ```
public struct ScaledDotProductAttention: AlignmentLayer, Equatable {
  /// What scores are multiplied by; nil for 1/√D.
  public var scale: Double?

  /// A layer with the given scale; nil for 1/√D.
  public init(scale: Double? = nil) { self.scale = scale }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.productAttention(
      queries: inputs.queries, keys: inputs.keys, scale: scale, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    return inputs.productWeights(queries: inputs.queries, keys: inputs.keys, scale: scale, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<NoParameters>) {
    let inputs = checked(queries, keys, values)
    let (context, pullback) = inputs.productAttentionWithPullback(
      queries: inputs.queries, keys: inputs.keys, scale: scale, mask: mask)
    return (
      context,
      { outputGradient in
        let gradients = pullback(outputGradient)
        return inputs.gradients(
          NoParameters(), queries: gradients.queries, keys: gradients.keys, values: gradients.values)
      }
    )
  }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    AlignmentInputs(
      "ScaledDotProductAttention", queries: queries, keys: keys, values: values, queryDimensions: nil,
      keyDimensions: queries.shape.last)
  }
}
