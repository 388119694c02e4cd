/// Dot-product attention without a scale:
///
///     α_ij = softmax_j(q_i · k_j),  context_i = Σ_j α_ij value_j
///
/// Queries [B, D] or [B, Tq, D], keys [B, Tk, D], values [B, Tk, Dv] → context [B, Dv] or [B, Tq, Dv], weights [B, Tk]
/// or [B, Tq, Tk].
///
/// The score "dot" of Luong et al. 2015 (arXiv:1508.04025): softmax(Q Kᵀ) V. ``ScaledDotProductAttention`` divides by √D.
///
/// ```swift
/// let context = DotProductAttention()(decoderState, keys: encoded)
/// ```
public struct DotProductAttention: AlignmentLayer, Equatable {
  /// The layer has no parameters.
  public init() {}

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.productAttention(
      queries: inputs.queries, keys: inputs.keys, scale: 1, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    return inputs.productWeights(queries: inputs.queries, keys: inputs.keys, scale: 1, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<NoParameters>) {
    let inputs = checked(queries, keys, values)
    let (context, pullback) = inputs.productAttentionWithPullback(
      queries: inputs.queries, keys: inputs.keys, scale: 1, mask: mask)
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
      "DotProductAttention", queries: queries, keys: keys, values: values, queryDimensions: nil,
      keyDimensions: queries.shape.last)
  }
}
