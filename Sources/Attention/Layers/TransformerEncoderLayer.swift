/// A layer of a transformer's encoder (Vaswani et al. 2017, arXiv:1706.03762):
///
///     post-norm (the paper's):  h = norm1(x + attention(x)),    y = norm2(h + feedForward(h))
///     pre-norm:                 h = x + attention(norm1(x)),    y = h + feedForward(norm2(h))
///
/// x [B, S, E] → y [B, S, E]. Pre-norm: Xiong et al. 2020, arXiv:2002.04745, PyTorch's and MLX's `norm_first`. Where a
/// call gives a seed, dropout acts on the attention weights, between the two layers of the feed-forward network, and on
/// both branches before they are added.
///
/// ```swift
/// let layer = TransformerEncoderLayer(dimensions: 512, numHeads: 8, seed: 0)
/// let y = layer(x, mask: .keyLengths([128, 90]))
/// let (value, pullback) = layer.valueWithPullback(x)
/// ```
public struct TransformerEncoderLayer: Sendable, Equatable {
  /// Attention of the sequence over itself.
  public var selfAttention: MultiHeadAttention
  /// The feed-forward network.
  public var feedForward: FeedForward
  /// Of the attention's branch.
  public var norm1: LayerNorm
  /// Of the feed-forward network's branch.
  public var norm2: LayerNorm
  /// Of both branches.
  public var dropout: Dropout
  /// Pre-norm instead of post-norm.
  public var normFirst: Bool

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// As the layer's.
    public var selfAttention: MultiHeadAttention.Gradients
    /// As the layer's.
    public var feedForward: FeedForward.Gradients
    /// As the layer's.
    public var norm1: LayerNorm.Gradients
    /// As the layer's.
    public var norm2: LayerNorm.Gradients
  }

  /// Parameters as the parts draw them, which is what PyTorch's `nn.TransformerEncoderLayer` does.
  ///
  /// - Parameters:
  ///   - dimensions: E, a multiple of `numHeads`.
  ///   - numHeads: H.
  ///   - feedForwardDimensions: F; nil = 4·E.
  ///   - activation: Of the feed-forward network.
  ///   - dropout: The probability of all four places.
  ///   - normFirst: See ``normFirst``.
  ///   - eps: Of both norms.
  ///   - bias: Whether projections, layers and norms have one.
  ///   - rotary: Of the attention.
  ///   - seed: Equal seeds make equal layers.
  public init(
    dimensions: Int, numHeads: Int, feedForwardDimensions: Int? = nil, activation: Activation = .relu,
    dropout: Double = 0, normFirst: Bool = false, eps: Double = 1e-5, bias: Bool = true,
    rotary: RotaryEmbedding? = nil, seed: UInt64
  ) {
    var generator = InitialGenerator(seed: seed)
    selfAttention = MultiHeadAttention(
      dimensions: dimensions, numHeads: numHeads, bias: bias, rotary: rotary, dropout: dropout, using: &generator)
    feedForward = FeedForward(
      dimensions: dimensions, hiddenDimensions: feedForwardDimensions ?? 4 * dimensions, activation: activation,
      dropout: dropout, bias: bias, using: &generator)
    norm1 = LayerNorm(dimensions, eps: eps, bias: bias)
    norm2 = LayerNorm(dimensions, eps: eps, bias: bias)
    self.dropout = Dropout(dropout)
    self.normFirst = normFirst
  }

  /// [B, S, E] → [B, S, E].
  ///
  /// - Parameters:
  ///   - mask: Which positions attend to which.
  ///   - dropoutSeed: Names what is dropped; nil = nothing.
  public func callAsFunction(_ x: Tensor, mask: AttentionMask = .none, dropoutSeed seed: UInt64? = nil) -> Tensor {
    check(x)
    let h = residual(0, norm1, seed: seed)(x) {
      selfAttention($0, keys: $0, values: $0, mask: mask, dropoutSeed: $1)
    }
    return residual(1, norm2, seed: seed)(h) { feedForward($0, dropoutSeed: $1) }
  }

  /// The weights of the attention, [B, S, S] averaged over the heads or [B, H, S, S].
  public func weights(_ x: Tensor, mask: AttentionMask = .none, averaged: Bool = true) -> Tensor {
    let attended = attended(x)
    return selfAttention.weights(attended, keys: attended, mask: mask, averaged: averaged)
  }

  /// The weights of the self-attention, made when rows or heads of them are asked for.
  public func weightsOnDemand(_ x: Tensor, mask: AttentionMask = .none) -> AttentionWeights {
    let attended = attended(x)
    return selfAttention.weightsOnDemand(attended, keys: attended, mask: mask)
  }

  /// What the self-attention sees of x.
  private func attended(_ x: Tensor) -> Tensor {
    check(x)
    return normFirst ? norm1(x) : x
  }

  /// The output, and the map of its gradient to those of the parameters and of x.
  public func valueWithPullback(
    _ x: Tensor, mask: AttentionMask = .none, dropoutSeed seed: UInt64? = nil
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    check(x)
    let (h, attentionPullback) = residual(0, norm1, seed: seed).valueWithPullback(x) {
      selfAttention.overItself($0, mask: mask, dropoutSeed: $1)
    }
    let (value, feedForwardPullback) = residual(1, norm2, seed: seed).valueWithPullback(h) {
      feedForward.valueWithPullback($0, dropoutSeed: $1)
    }
    let shape = value.shape
    return (
      value,
      { gradient in
        require(
          gradient.shape == shape,
          "TransformerEncoderLayer: expected an output gradient \(shape), got \(gradient.shape)")
        let second = feedForwardPullback(gradient)
        let first = attentionPullback(second.input)
        return (
          Gradients(
            selfAttention: first.branch, feedForward: second.branch, norm1: first.norm, norm2: second.norm),
          first.input
        )
      }
    )
  }

  private func residual(_ index: Int, _ norm: LayerNorm, seed: UInt64?) -> Residual {
    Residual(index, norm: norm, normFirst: normFirst, dropout: dropout, seed: seed)
  }

  private func check(_ x: Tensor) {
    let e = selfAttention.dimensions
    require(x.rank == 3 && x.shape[2] == e, "TransformerEncoderLayer: expected [B, S, \(e)], got \(x.shape)")
  }
}

extension TransformerEncoderLayer: ParameterContainer {
  /// PyTorch's names: `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`. MLX's: `attention`, `linear1`, `linear2`,
  /// `ln1`, `ln2`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(
      selfAttention: selfAttention.mirror, feedForward: feedForward.mirror, norm1: norm1.mirror, norm2: norm2.mirror
    ).parameters(naming: naming)
  }

  /// Takes MLX's names where there are any in `attention`, else PyTorch's.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    let isMLX = reader.containsScope("attention")
    try selfAttention.update(from: reader.scoped(to: isMLX ? "attention" : "self_attn"))
    try feedForward.update(from: reader)
    try norm1.update(from: reader.scoped(to: isMLX ? "ln1" : "norm1"))
    try norm2.update(from: reader.scoped(to: isMLX ? "ln2" : "norm2"))
  }
}

extension TransformerEncoderLayer.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    let isMLX = naming == .mlx
    return selfAttention.parameters(naming: naming).scoped(to: isMLX ? "attention" : "self_attn")
      + feedForward.parameters(naming: naming)
      + norm1.parameters(naming: naming).scoped(to: isMLX ? "ln1" : "norm1")
      + norm2.parameters(naming: naming).scoped(to: isMLX ? "ln2" : "norm2")
  }
}
