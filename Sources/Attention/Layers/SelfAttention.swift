/// Attention of a sequence over itself with one head, as tutorials write it:
///
///     y = softmax(q·kᵀ ÷ √D) · v,  q = x·Wqᵀ,  k = x·Wkᵀ,  v = x·Wvᵀ
///
/// x [B, S, E] → y [B, S, Dv]; without B, [S, E] → [S, Dv]. Wq and Wk [D, E], Wv [Dv, E]. "Intra-attention" in Cheng et
/// al. 2016, arXiv:1601.06733. For several heads see ``MultiHeadAttention``.
///
/// ```swift
/// let layer = SelfAttention(dimensions: 64, seed: 0)
/// let (output, weights) = layer.outputAndWeights(x)
/// ```
public struct SelfAttention: Sendable, Equatable {
  /// What a loss changes by with each parameter.
  public typealias Gradients = CrossAttention.Gradients

  /// Wq, Wk and Wv, used with x as its own context.
  public var projections: CrossAttention

  /// Projections as ``Linear`` draws them; `keyDimensions` is D (nil = E), `valueDimensions` Dv (nil = D).
  public init(
    dimensions: Int, keyDimensions: Int? = nil, valueDimensions: Int? = nil, bias: Bool = false, seed: UInt64
  ) {
    projections = CrossAttention(
      dimensions: dimensions, keyDimensions: keyDimensions, valueDimensions: valueDimensions, bias: bias, seed: seed)
  }

  /// The output, [B, S, Dv] or [S, Dv].
  public func callAsFunction(_ x: Tensor, mask: AttentionMask = .none) -> Tensor {
    check(x)
    return projections(x, context: x, mask: mask)
  }

  /// The weights, [B, S, S] or [S, S].
  public func weights(_ x: Tensor, mask: AttentionMask = .none) -> Tensor {
    check(x)
    return projections.weights(x, context: x, mask: mask)
  }

  /// The weights of one head, made when rows of them are asked for; x without B counts as B = 1.
  public func weightsOnDemand(_ x: Tensor, mask: AttentionMask = .none) -> AttentionWeights {
    check(x)
    return projections.weightsOnDemand(x, context: x, mask: mask)
  }

  /// The output together with the weights.
  public func outputAndWeights(_ x: Tensor, mask: AttentionMask = .none) -> (output: Tensor, weights: Tensor) {
    (self(x, mask: mask), weights(x, mask: mask))
  }

  /// The output, and the map of its gradient to those of the parameters and of x.
  public func valueWithPullback(
    _ x: Tensor, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    check(x)
    let (value, pullback) = projections.valueWithPullback(x, context: x, mask: mask)
    let shape = value.shape
    return (
      value,
      { gradient in
        require(
          gradient.shape == shape, "SelfAttention: expected an output gradient \(shape), got \(gradient.shape)")
        let gradients = pullback(gradient)
        return (gradients.parameters, gradients.input.plus(gradients.context))
      }
    )
  }

  private func check(_ x: Tensor) {
    let e = projections.queryProjection.inputDimensions
    require(
      2...3 ~= x.rank && x.shape[x.rank - 1] == e, "SelfAttention: expected [B, S, \(e)] or [S, \(e)], got \(x.shape)")
  }
}

extension SelfAttention: ParameterContainer {
  /// The names of ``CrossAttention``.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { projections.parameters(naming: naming) }

  /// Takes the three projections.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    try projections.update(from: reader)
  }
}
