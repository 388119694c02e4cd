/// Attention of one sequence over another with one head, as tutorials write it:
///
///     y = softmax(q·kᵀ ÷ √D) · v,  q = x·Wqᵀ,  k = c·Wkᵀ,  v = c·Wvᵀ
///
/// x [B, Sq, E], context c [B, Sk, C] → y [B, Sq, Dv]; without B, [Sq, E] and [Sk, C] → [Sq, Dv]. Wq [D, E], Wk [D, C],
/// Wv [Dv, C]. In a translator x is the decoder's states and c the encoder's ("encoder-decoder attention" of Vaswani et
/// al. 2017). For several heads see ``MultiHeadAttention``.
///
/// ```swift
/// let layer = CrossAttention(dimensions: 64, contextDimensions: 32, seed: 0)
/// let (output, weights) = layer.outputAndWeights(decoderStates, context: encoderStates)
/// ```
public struct CrossAttention: Sendable, Equatable {
  /// Wq, and its bias where there is one.
  public var queryProjection: Linear
  /// Wk.
  public var keyProjection: Linear
  /// Wv.
  public var valueProjection: Linear

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// As the layer's.
    public var queryProjection: Linear.Gradients
    /// As the layer's.
    public var keyProjection: Linear.Gradients
    /// As the layer's.
    public var valueProjection: Linear.Gradients
  }

  /// Projections as ``Linear`` draws them.
  ///
  /// - Parameters:
  ///   - dimensions: E.
  ///   - contextDimensions: C; nil = E.
  ///   - keyDimensions: D; nil = E.
  ///   - valueDimensions: Dv; nil = D.
  ///   - bias: Whether the projections have one.
  ///   - seed: Equal seeds make equal layers.
  public init(
    dimensions: Int, contextDimensions: Int? = nil, keyDimensions: Int? = nil, valueDimensions: Int? = nil,
    bias: Bool = false, seed: UInt64
  ) {
    var generator = InitialGenerator(seed: seed)
    let (context, key) = (contextDimensions ?? dimensions, keyDimensions ?? dimensions)
    queryProjection = Linear(dimensions, key, bias: bias, using: &generator)
    keyProjection = Linear(context, key, bias: bias, using: &generator)
    valueProjection = Linear(context, valueDimensions ?? key, bias: bias, using: &generator)
  }

  /// The output, [B, Sq, Dv] or [Sq, Dv].
  public func callAsFunction(_ x: Tensor, context: Tensor, mask: AttentionMask = .none) -> Tensor {
    check(x, context)
    return scaledDotProductAttention(
      queries: queryProjection(x).asHead, keys: keyProjection(context).asHead,
      values: valueProjection(context).asHead, mask: mask
    ).withoutHead(like: x)
  }

  /// The weights, [B, Sq, Sk] or [Sq, Sk].
  public func weights(_ x: Tensor, context: Tensor, mask: AttentionMask = .none) -> Tensor {
    weightsOnDemand(x, context: context, mask: mask).matrix().withoutHead(like: x)
  }

  /// The weights of one head, made when rows of them are asked for; x without B counts as B = 1.
  public func weightsOnDemand(_ x: Tensor, context: Tensor, mask: AttentionMask = .none) -> AttentionWeights {
    check(x, context)
    return AttentionWeights(
      queries: queryProjection(x).asHead, keys: keyProjection(context).asHead, mask: mask)
  }

  /// The output together with the weights.
  public func outputAndWeights(
    _ x: Tensor, context: Tensor, mask: AttentionMask = .none
  ) -> (output: Tensor, weights: Tensor) {
    (self(x, context: context, mask: mask), weights(x, context: context, mask: mask))
  }

  /// The output, and the map of its gradient to those of the parameters, of x and of the context.
  public func valueWithPullback(
    _ x: Tensor, context: Tensor, mask: AttentionMask = .none
  ) -> (
    value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor, context: Tensor)
  ) {
    check(x, context)
    let (queries, queryPullback) = queryProjection.valueWithPullback(x)
    let (keys, keyPullback) = keyProjection.valueWithPullback(context)
    let (values, valuePullback) = valueProjection.valueWithPullback(context)
    let (heads, attentionPullback) = scaledDotProductAttentionWithPullback(
      queries: queries.asHead, keys: keys.asHead, values: values.asHead, mask: mask)
    let value = heads.withoutHead(like: x)
    return (
      value,
      { gradient in
        require(
          gradient.shape == value.shape,
          "CrossAttention: expected an output gradient \(value.shape), got \(gradient.shape)")
        let attention = attentionPullback(gradient.asHead)
        let query = queryPullback(attention.queries.reshaped(to: queries.shape))
        let key = keyPullback(attention.keys.reshaped(to: keys.shape))
        let value = valuePullback(attention.values.reshaped(to: values.shape))
        return (
          Gradients(
            queryProjection: query.parameters, keyProjection: key.parameters, valueProjection: value.parameters),
          query.input, key.input.plus(value.input)
        )
      }
    )
  }

  private func check(_ x: Tensor, _ context: Tensor) {
    let (e, c) = (queryProjection.inputDimensions, keyProjection.inputDimensions)
    require(
      2...3 ~= x.rank && x.rank == context.rank && x.shape[x.rank - 1] == e && context.shape[x.rank - 1] == c
        && (x.rank == 2 || x.shape[0] == context.shape[0]),
      """
      CrossAttention: expected x [B, Sq, \(e)] and context [B, Sk, \(c)], or [Sq, \(e)] and [Sk, \(c)], \
      got \(x.shape) and \(context.shape)
      """)
  }
}

extension Tensor {
  /// [B, S, D] or [S, D] → [B, 1, S, D].
  fileprivate var asHead: Tensor {
    reshaped(to: [rank == 3 ? shape[0] : 1, 1, shape[rank - 2], shape[rank - 1]])
  }

  /// [B, 1, S, D] → [B, S, D], or [S, D] when `input` has two axes.
  fileprivate func withoutHead(like input: Tensor) -> Tensor {
    reshaped(to: input.rank == 3 ? [shape[0], shape[2], shape[3]] : [shape[2], shape[3]])
  }
}

extension CrossAttention: ParameterContainer {
  /// `query_proj`, `key_proj` and `value_proj`, with `weight` and, where there is one, `bias`. Neither PyTorch nor MLX
  /// has this layer; the names are those of MLX's multi-head attention.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { mirror.parameters(naming: naming) }

  var mirror: Gradients {
    Gradients(
      queryProjection: queryProjection.mirror, keyProjection: keyProjection.mirror,
      valueProjection: valueProjection.mirror)
  }

  /// Takes the three projections.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    try queryProjection.update(from: reader.scoped(to: "query_proj"))
    try keyProjection.update(from: reader.scoped(to: "key_proj"))
    try valueProjection.update(from: reader.scoped(to: "value_proj"))
  }
}

extension CrossAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    queryProjection.parameters(naming: naming).scoped(to: "query_proj")
      + keyProjection.parameters(naming: naming).scoped(to: "key_proj")
      + valueProjection.parameters(naming: naming).scoped(to: "value_proj")
  }
}
