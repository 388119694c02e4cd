/// Attention with a bilinear score:
///
///     α_ij = softmax_j(q_iᵀ W k_j),  context_i = Σ_j α_ij value_j
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv] → context [B, Dv] or [B, Tq, Dv], weights
/// [B, Tk] or [B, Tq, Tk].
///
/// The score "general" of Luong et al. 2015 (arXiv:1508.04025); also called bilinear or multiplicative attention.
///
/// ```swift
/// let layer = GeneralAttention(dimensions: 256, keyDimensions: 512, seed: 0)
/// let context = layer(decoderState, keys: encoded, mask: .keyLengths(lengths))
/// ```
public struct GeneralAttention: AlignmentLayer, Equatable {
  /// W, [Hq, Hk].
  public var weight: Tensor

  /// Gradients of the parameters.
  public struct Gradients: Sendable, Equatable {
    /// [Hq, Hk].
    public var weight: Tensor
  }

  /// A layer of the given parameter, [Hq, Hk].
  public init(weight: Tensor) {
    require(weight.rank == 2, "GeneralAttention: expected a weight [Hq, Hk], got \(weight.shape)")
    self.weight = weight
  }

  /// A layer with W drawn from the seed, uniform in ±1/√Hk as PyTorch's `nn.Linear` does.
  ///
  /// - Parameters:
  ///   - dimensions: Hq.
  ///   - keyDimensions: Hk; Hq unless given.
  ///   - seed: Names the parameters drawn.
  public init(dimensions: Int, keyDimensions: Int? = nil, seed: UInt64) {
    self.init(weight: Linear(keyDimensions ?? dimensions, dimensions, bias: false, seed: seed).weight)
  }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.productAttention(
      queries: inputs.queries.times(weight), keys: inputs.keys, scale: 1, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    return inputs.productWeights(queries: inputs.queries.times(weight), keys: inputs.keys, scale: 1, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let (context, pullback) = inputs.productAttentionWithPullback(
      queries: inputs.queries.times(weight), keys: inputs.keys, scale: 1, mask: mask)
    return (
      context,
      { outputGradient in
        let gradients = pullback(outputGradient)
        return inputs.gradients(
          Gradients(
            weight: inputs.queries.visibleRows(under: gradients.queries).transposedTimes(gradients.queries)),
          queries: gradients.queries.timesTransposed(weight), keys: gradients.keys, values: gradients.values)
      }
    )
  }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    require(weight.rank == 2, "GeneralAttention: expected a weight [Hq, Hk], got \(weight.shape)")
    return AlignmentInputs(
      "GeneralAttention", queries: queries, keys: keys, values: values, queryDimensions: weight.shape[0],
      keyDimensions: weight.shape[1])
  }
}
