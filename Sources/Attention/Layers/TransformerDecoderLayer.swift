/// A layer of a transformer's decoder (Vaswani et al. 2017, arXiv:1706.03762):
///
///     post-norm (the paper's):  h = norm1(x + selfAttention(x)),  g = norm2(h + crossAttention(h, memory)),
///                               y = norm3(g + feedForward(g))
///     pre-norm:                 h = x + selfAttention(norm1(x)),  g = h + crossAttention(norm2(h), memory),
///                               y = g + feedForward(norm3(g))
///
/// x [B, S, E], memory [B, Sm, E] (the encoder's output) → y [B, S, E]. The mask of the self-attention is `.causal`
/// unless told otherwise. PyTorch: `nn.TransformerDecoderLayer` with `norm_first`; its `multihead_attn` is MLX's
/// `cross_attention`.
///
/// ```swift
/// let layer = TransformerDecoderLayer(dimensions: 512, numHeads: 8, seed: 0)
/// let y = layer(x, memory: encoded, memoryMask: .keyLengths([40, 31]))
/// let (value, pullback) = layer.valueWithPullback(x, memory: encoded)
/// ```
public struct TransformerDecoderLayer: Sendable, Equatable {
  /// Attention of the sequence over itself.
  public var selfAttention: MultiHeadAttention
  /// Attention of the sequence over the memory.
  public var crossAttention: MultiHeadAttention
  /// The feed-forward network.
  public var feedForward: FeedForward
  /// Of the self-attention's branch.
  public var norm1: LayerNorm
  /// Of the cross-attention's branch.
  public var norm2: LayerNorm
  /// Of the feed-forward network's branch.
  public var norm3: LayerNorm
  /// Of all branches.
  public var dropout: Dropout
  /// Pre-norm instead of post-norm.
  public var normFirst: Bool

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// As the layer's.
    public var selfAttention: MultiHeadAttention.Gradients
    /// As the layer's.
    public var crossAttention: MultiHeadAttention.Gradients
    /// As the layer's.
    public var feedForward: FeedForward.Gradients
    /// As the layer's.
    public var norm1: LayerNorm.Gradients
    /// As the layer's.
    public var norm2: LayerNorm.Gradients
    /// As the layer's.
    public var norm3: LayerNorm.Gradients
  }

  /// Parameters as the parts draw them, which is what PyTorch's `nn.TransformerDecoderLayer` does.
  ///
  /// - Parameters:
  ///   - dimensions: E, a multiple of `numHeads`.
  ///   - numHeads: H.
  ///   - feedForwardDimensions: F; nil = 4·E.
  ///   - activation: Of the feed-forward network.
  ///   - dropout: The probability of all places.
  ///   - normFirst: See ``normFirst``.
  ///   - eps: Of the norms.
  ///   - bias: Whether projections, layers and norms have one.
  ///   - rotary: Of the self-attention.
  ///   - seed: Equal seeds make equal layers.
  public init(
    dimensions: Int, numHeads: Int, feedForwardDimensions: Int? = nil, activation: Activation = .relu,
    dropout: Double = 0, normFirst: Bool = false, eps: Double = 1e-5, bias: Bool = true,
    rotary: RotaryEmbedding? = nil, seed: UInt64
  ) {
    var generator = InitialGenerator(seed: seed)
    selfAttention = MultiHeadAttention(
      dimensions: dimensions, numHeads: numHeads, bias: bias, rotary: rotary, dropout: dropout, using: &generator)
    crossAttention = MultiHeadAttention(
      dimensions: dimensions, numHeads: numHeads, bias: bias, dropout: dropout, using: &generator)
    feedForward = FeedForward(
      dimensions: dimensions, hiddenDimensions: feedForwardDimensions ?? 4 * dimensions, activation: activation,
      dropout: dropout, bias: bias, using: &generator)
    norm1 = LayerNorm(dimensions, eps: eps, bias: bias)
    norm2 = LayerNorm(dimensions, eps: eps, bias: bias)
    norm3 = LayerNorm(dimensions, eps: eps, bias: bias)
    self.dropout = Dropout(dropout)
    self.normFirst = normFirst
  }

  /// [B, S, E] over a memory [B, Sm, E] → [B, S, E].
  ///
  /// - Parameters:
  ///   - mask: Of the self-attention.
  ///   - memoryMask: Of the cross-attention.
  ///   - dropoutSeed: Names what is dropped; nil = nothing.
  public func callAsFunction(
    _ x: Tensor, memory: Tensor, mask: AttentionMask = .causal, memoryMask: AttentionMask = .none,
    dropoutSeed seed: UInt64? = nil
  ) -> Tensor {
    check(x, memory)
    let h = residual(0, norm1, seed: seed)(x) {
      selfAttention($0, keys: $0, values: $0, mask: mask, dropoutSeed: $1)
    }
    let g = residual(1, norm2, seed: seed)(h) {
      crossAttention($0, keys: memory, values: memory, mask: memoryMask, dropoutSeed: $1)
    }
    return residual(2, norm3, seed: seed)(g) { feedForward($0, dropoutSeed: $1) }
  }

  /// The weights of both attentions, made when rows or heads of them are asked for.
  public func weightsOnDemand(
    _ x: Tensor, memory: Tensor, mask: AttentionMask = .causal, memoryMask: AttentionMask = .none
  ) -> (selfAttention: AttentionWeights, crossAttention: AttentionWeights) {
    check(x, memory)
    let attended = normFirst ? norm1(x) : x
    let h = x.plus(selfAttention(attended, keys: attended, values: attended, mask: mask))
    let queries = normFirst ? norm2(h) : norm1(h)
    return (
      selfAttention.weightsOnDemand(attended, keys: attended, mask: mask),
      crossAttention.weightsOnDemand(queries, keys: memory, mask: memoryMask)
    )
  }

  /// The output, and the map of its gradient to those of the parameters, of x and of the memory.
  public func valueWithPullback(
    _ x: Tensor, memory: Tensor, mask: AttentionMask = .causal, memoryMask: AttentionMask = .none,
    dropoutSeed seed: UInt64? = nil
  ) -> (
    value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor, memory: Tensor)
  ) {
    check(x, memory)
    let (h, selfPullback) = residual(0, norm1, seed: seed).valueWithPullback(x) {
      selfAttention.overItself($0, mask: mask, dropoutSeed: $1)
    }
    let (g, crossPullback) = residual(1, norm2, seed: seed).valueWithPullback(h) { h, seed in
      let (branch, pullback) = crossAttention.valueWithPullback(
        h, keys: memory, values: memory, mask: memoryMask, dropoutSeed: seed)
      return (
        branch,
        { gradient in
          let gradients = pullback(gradient)
          return ((gradients.parameters, memory: gradients.keys.plus(gradients.values)), gradients.queries)
        }
      )
    }
    let (value, feedForwardPullback) = residual(2, norm3, seed: seed).valueWithPullback(g) {
      feedForward.valueWithPullback($0, dropoutSeed: $1)
    }
    let shape = value.shape
    return (
      value,
      { gradient in
        require(
          gradient.shape == shape,
          "TransformerDecoderLayer: expected an output gradient \(shape), got \(gradient.shape)")
        let third = feedForwardPullback(gradient)
        let second = crossPullback(third.input)
        let first = selfPullback(second.input)
        return (
          Gradients(
            selfAttention: first.branch, crossAttention: second.branch.0, feedForward: third.branch,
            norm1: first.norm, norm2: second.norm, norm3: third.norm),
          first.input, second.branch.memory
        )
      }
    )
  }

  private func residual(_ index: Int, _ norm: LayerNorm, seed: UInt64?) -> Residual {
    Residual(index, norm: norm, normFirst: normFirst, dropout: dropout, seed: seed)
  }

  private func check(_ x: Tensor, _ memory: Tensor) {
    let e = selfAttention.dimensions
    require(
      x.rank == 3 && memory.rank == 3 && x.shape[2] == e && memory.shape[2] == e && x.shape[0] == memory.shape[0],
      """
      TransformerDecoderLayer: expected x [B, S, \(e)] and memory [B, Sm, \(e)], \
      got \(x.shape) and \(memory.shape)
      """)
  }
}

extension TransformerDecoderLayer: ParameterContainer {
  /// PyTorch's names: `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `norm3`. MLX's:
  /// `self_attention`, `cross_attention`, `linear1`, `linear2`, `ln1`, `ln2`, `ln3`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(
      selfAttention: selfAttention.mirror, crossAttention: crossAttention.mirror, feedForward: feedForward.mirror,
      norm1: norm1.mirror, norm2: norm2.mirror, norm3: norm3.mirror
    ).parameters(naming: naming)
  }

  /// Takes MLX's names where there are any in `self_attention`, else PyTorch's.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    let isMLX = reader.containsScope("self_attention")
    let norm = isMLX ? "ln" : "norm"
    try selfAttention.update(from: reader.scoped(to: isMLX ? "self_attention" : "self_attn"))
    try crossAttention.update(from: reader.scoped(to: isMLX ? "cross_attention" : "multihead_attn"))
    try feedForward.update(from: reader)
    try norm1.update(from: reader.scoped(to: "\(norm)1"))
    try norm2.update(from: reader.scoped(to: "\(norm)2"))
    try norm3.update(from: reader.scoped(to: "\(norm)3"))
  }
}

extension TransformerDecoderLayer.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    let isMLX = naming == .mlx
    let norm = isMLX ? "ln" : "norm"
    return selfAttention.parameters(naming: naming).scoped(to: isMLX ? "self_attention" : "self_attn")
      + crossAttention.parameters(naming: naming).scoped(to: isMLX ? "cross_attention" : "multihead_attn")
      + feedForward.parameters(naming: naming)
      + norm1.parameters(naming: naming).scoped(to: "\(norm)1")
      + norm2.parameters(naming: naming).scoped(to: "\(norm)2")
      + norm3.parameters(naming: naming).scoped(to: "\(norm)3")
  }
}
