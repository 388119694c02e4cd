/// Multi-head attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2):
///
///     head_h = softmax(q_h·k_hᵀ ÷ √D) · v_h,  q = Q·Wqᵀ + bq,  k = K·Wkᵀ + bk,  v = V·Wvᵀ + bv
///     y = [head_1 … head_H] · Woᵀ + bo
///
/// Q [B, Sq, E], K [B, Sk, keyDimensions], V [B, Sk, valueDimensions] → y [B, Sq, E], with H heads of D = E ÷ H
/// coordinates. With fewer key heads G than H, head h reads key head h ÷ (H ÷ G): grouped-query attention (Ainslie et
/// al. 2023, arXiv:2305.13245), with one of them multi-query attention (Shazeer 2019, arXiv:1911.02150).
///
/// Self-attention is `layer(x, keys: x, values: x)`, cross-attention `layer(x, keys: memory, values: memory)`. PyTorch:
/// `nn.MultiheadAttention` with `batch_first=True`, `kdim` = keyDimensions, `vdim` = valueDimensions; MLX:
/// `MultiHeadAttention`. A query that may attend to nothing gives the bias of the output projection.
///
/// ```swift
/// let layer = MultiHeadAttention(dimensions: 512, numHeads: 8, seed: 0)
/// let y = layer(x, keys: x, values: x, mask: .causal & .keyLengths([128, 90]))
/// let w = layer.weights(x, keys: x)                       // [B, Sq, Sk]
/// let (value, pullback) = layer.valueWithPullback(x, keys: x, values: x)
/// let gradients = pullback(dy)                            // .parameters, .queries, .keys, .values
/// ```
public struct MultiHeadAttention: Sendable, Equatable {
  /// Wq [E, E] and bq.
  public var queryProjection: Linear
  /// Wk [G·D, keyDimensions] and bk.
  public var keyProjection: Linear
  /// Wv [G·D, valueDimensions] and bv.
  public var valueProjection: Linear
  /// Wo [E, E] and bo.
  public var outputProjection: Linear
  /// A learned key beside those of every sequence, [G·D]: PyTorch's `bias_k` of `add_bias_kv`.
  public var biasKey: Tensor?
  /// The value of that key, [G·D]: `bias_v`.
  public var biasValue: Tensor?
  /// Whether a key and value of zeros stand beside all others: PyTorch's `add_zero_attn`.
  public let addsZeroAttention: Bool
  /// Turns queries and keys by their positions; query i stands at i + the mask's alignment offset, 0 without one.
  public let rotary: RotaryEmbedding?
  /// The probability with which a weight is dropped in calls that give a seed.
  public var dropout: Double
  /// H.
  public let numHeads: Int
  /// G, a divisor of H.
  public let numKeyHeads: Int

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// As the layer's.
    public var queryProjection: Linear.Gradients
    /// As the layer's.
    public var keyProjection: Linear.Gradients
    /// As the layer's.
    public var valueProjection: Linear.Gradients
    /// As the layer's.
    public var outputProjection: Linear.Gradients
    /// [G·D]; nil without.
    public var biasKey: Tensor?
    /// [G·D]; nil without.
    public var biasValue: Tensor?
  }

  /// Parameters as PyTorch's `nn.MultiheadAttention` draws them: the three input projections Xavier-uniform (as one
  /// matrix where all inputs have E coordinates), the output projection uniform in ±1/√E, biases 0, `biasKey` and
  /// `biasValue` Xavier-normal.
  ///
  /// - Parameters:
  ///   - dimensions: E, a multiple of `numHeads`.
  ///   - numHeads: H.
  ///   - keyDimensions, valueDimensions: Of the inputs K and V; nil = E.
  ///   - numKeyHeads: G, a divisor of H; nil = H.
  ///   - bias: Whether the four projections have one.
  ///   - addBiasKV: Whether there are ``biasKey`` and ``biasValue``.
  ///   - addZeroAttention: See ``addsZeroAttention``.
  ///   - rotary: See ``rotary``; at most D dimensions.
  ///   - dropout: See ``dropout``.
  ///   - seed: Equal seeds make equal layers.
  public init(
    dimensions: Int, numHeads: Int, keyDimensions: Int? = nil, valueDimensions: Int? = nil, numKeyHeads: Int? = nil,
    bias: Bool = true, addBiasKV: Bool = false, addZeroAttention: Bool = false, rotary: RotaryEmbedding? = nil,
    dropout: Double = 0, seed: UInt64
  ) {
    var generator = InitialGenerator(seed: seed)
    self.init(
      dimensions: dimensions, numHeads: numHeads, keyDimensions: keyDimensions, valueDimensions: valueDimensions,
      numKeyHeads: numKeyHeads, bias: bias, addBiasKV: addBiasKV, addZeroAttention: addZeroAttention, rotary: rotary,
      dropout: dropout, using: &generator)
  }

  init(
    dimensions: Int, numHeads: Int, keyDimensions: Int? = nil, valueDimensions: Int? = nil, numKeyHeads: Int? = nil,
    bias: Bool = true, addBiasKV: Bool = false, addZeroAttention: Bool = false, rotary: RotaryEmbedding? = nil,
    dropout: Double = 0, using generator: inout InitialGenerator
  ) {
    let keyHeads = numKeyHeads ?? numHeads
    require(
      numHeads > 0 && dimensions > 0 && dimensions % numHeads == 0,
      "MultiHeadAttention: expected dimensions that are a multiple of numHeads, got \(dimensions) and \(numHeads)")
    require(
      keyHeads > 0 && numHeads % keyHeads == 0,
      "MultiHeadAttention: expected numHeads that is a multiple of numKeyHeads, got \(numHeads) and \(keyHeads)")
    let headDimensions = dimensions / numHeads
    require(
      rotary == nil || rotary!.dimensions <= headDimensions,
      "MultiHeadAttention: expected rotary dimensions of at most \(headDimensions), got \(rotary?.dimensions ?? 0)")
    let (keys, values) = (keyDimensions ?? dimensions, valueDimensions ?? dimensions)
    let keyOutputs = keyHeads * headDimensions
    let packed = keys == dimensions && values == dimensions
    func projection(_ inputs: Int, _ outputs: Int, _ generator: inout InitialGenerator) -> Linear {
      let fans = inputs + (packed ? dimensions + 2 * keyOutputs : outputs)
      return Linear(
        weight: .uniform([outputs, inputs], bound: (6 / Double(fans)).squareRoot(), using: &generator),
        bias: bias ? Tensor(repeating: 0, shape: [outputs]) : nil)
    }
    queryProjection = projection(dimensions, dimensions, &generator)
    keyProjection = projection(keys, keyOutputs, &generator)
    valueProjection = projection(values, keyOutputs, &generator)
    outputProjection = Linear(
      weight: .uniform([dimensions, dimensions], bound: 1 / Double(dimensions).squareRoot(), using: &generator),
      bias: bias ? Tensor(repeating: 0, shape: [dimensions]) : nil)
    if addBiasKV {
      let deviation = 1 / Double(keyOutputs).squareRoot()
      biasKey = .normal([keyOutputs], deviation: deviation, using: &generator)
      biasValue = .normal([keyOutputs], deviation: deviation, using: &generator)
    }
    addsZeroAttention = addZeroAttention
    self.rotary = rotary
    self.dropout = dropout
    self.numHeads = numHeads
    self.numKeyHeads = keyHeads
  }

  /// E.
  public var dimensions: Int { queryProjection.outputDimensions }

  /// Attention of queries [B, Sq, E] over keys [B, Sk, keyDimensions] and values [B, Sk, valueDimensions].
  ///
  /// - Parameters:
  ///   - mask: Over the Sk keys given; ``biasKey`` and the zero key are always attended to.
  ///   - dropoutSeed: Names the weights that ``dropout`` drops; nil = none, as for inference.
  /// - Returns: [B, Sq, E].
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor, mask: AttentionMask = .none, dropoutSeed: UInt64? = nil
  ) -> Tensor {
    check(queries, keys, values)
    let problem = Problem(
      self, queryProjection(queries), keyProjection(keys), valueProjection(values), mask, dropoutSeed)
    let heads = scaledDotProductAttention(
      queries: problem.queries, keys: problem.keys, values: problem.values, mask: problem.mask,
      options: problem.options)
    return outputProjection(heads.mergedHeads())
  }

  /// The weights, before dropout: [B, Sq, Sk'] averaged over the heads, as PyTorch returns them, or [B, H, Sq, Sk'].
  ///
  /// Sk' counts the keys given, then ``biasKey``, then the zero key, where the layer has them.
  public func weights(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none, averaged: Bool = true
  ) -> Tensor {
    let weights = weightsOnDemand(queries, keys: keys, mask: mask).matrix(averaged: averaged)
    return averaged ? weights.reshaped(to: [weights.shape[0], weights.shape[2], weights.shape[3]]) : weights
  }

  /// The weights, made when rows or heads of them are asked for; keys in the order of
  /// ``weights(_:keys:mask:averaged:)``.
  public func weightsOnDemand(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> AttentionWeights {
    check(queries, keys, nil)
    let projected = keyProjection(keys)
    let problem = Problem(self, queryProjection(queries), projected, projected, mask, nil)
    return AttentionWeights(
      ScoreWeights(
        queries: problem.queries, keys: problem.keys, mask: problem.mask, ownKeys: problem.extraKeys))
  }

  /// What ``valueWithPullback(_:keys:values:mask:dropoutSeed:)`` maps the gradient of the output to.
  public typealias Pullback =
    @Sendable (Tensor) -> (parameters: Gradients, queries: Tensor, keys: Tensor, values: Tensor)

  /// The output, and the map of its gradient to those of the parameters and of each input. Where one tensor serves as
  /// several inputs, its gradient is the sum of theirs.
  ///
  /// NaN in masked keys and values, and in queries that may attend to nothing, reaches no gradient of a parameter. A query
  /// that sees something takes part: hide padded queries that are not finite by a mask, not by a zero output gradient.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor, mask: AttentionMask = .none, dropoutSeed: UInt64? = nil
  ) -> (value: Tensor, pullback: Pullback) {
    check(queries, keys, values)
    let (projectedQueries, queryPullback) = queryProjection.valueWithPullback(queries)
    let (projectedKeys, keyPullback) = keyProjection.valueWithPullback(keys)
    let (projectedValues, valuePullback) = valueProjection.valueWithPullback(values)
    let problem = Problem(self, projectedQueries, projectedKeys, projectedValues, mask, dropoutSeed)
    let (heads, attentionPullback) = scaledDotProductAttentionWithPullback(
      queries: problem.queries, keys: problem.keys, values: problem.values, mask: problem.mask,
      options: problem.options)
    let (value, outputPullback) = outputProjection.valueWithPullback(heads.mergedHeads())
    let shape = value.shape
    return (
      value,
      { gradient in
        require(
          gradient.shape == shape, "MultiHeadAttention: expected an output gradient \(shape), got \(gradient.shape)")
        let output = outputPullback(gradient)
        let attention = attentionPullback(output.input.splitIntoHeads(numHeads))
        let query = queryPullback(problem.unturned(attention.queries, problem.queryOffsets))
        let extra = problem.extraKeys
        let key = keyPullback(problem.unturned(attention.keys.droppingPositions(extra), problem.keyOffsets))
        let value = valuePullback(attention.values.droppingPositions(extra).mergedHeads())
        let gradients = Gradients(
          queryProjection: query.parameters, keyProjection: key.parameters, valueProjection: value.parameters,
          outputProjection: output.parameters,
          biasKey: biasKey == nil ? nil : attention.keys.sumOverBatch(position: 0),
          biasValue: biasValue == nil ? nil : attention.values.sumOverBatch(position: 0))
        return (gradients, query.input, key.input, value.input)
      }
    )
  }

  private func check(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) {
    let (q, k, v) = (queries.shape, keys.shape, values?.shape ?? keys.shape)
    let given = "queries \(q), keys \(k)" + (values == nil ? "" : ", values \(v)")
    require(
      q.count == 3 && k.count == 3 && v.count == 3 && q[2] == queryProjection.inputDimensions
        && k[2] == keyProjection.inputDimensions && (values == nil || v[2] == valueProjection.inputDimensions)
        && q[0] == k[0] && k[0] == v[0] && k[1] == v[1],
      """
      MultiHeadAttention: expected queries [B, Sq, \(queryProjection.inputDimensions)], \
      keys [B, Sk, \(keyProjection.inputDimensions)], values [B, Sk, \(valueProjection.inputDimensions)], got \(given)
      """)
  }
}

/// The attention inside the layer: heads apart, turned, and with the layer's own keys before the given ones.
private struct Problem {
  let queries, keys, values: Tensor
  let mask: AttentionMask
  let options: AttentionOptions
  /// How many keys of the layer's own stand before those given: there they leave each given key, and so the order of
  /// all sums, where it is for a sequence of another length.
  let extraKeys: Int
  let queryOffsets, keyOffsets: [Int]
  let rotary: RotaryEmbedding?

  init(
    _ layer: MultiHeadAttention, _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ mask: AttentionMask,
    _ dropoutSeed: UInt64?
  ) {
    let (batch, queryLength, keyLength) = (queries.shape[0], queries.shape[1], keys.shape[1])
    let shape = AttentionShape(
      batch: batch, queryHeads: layer.numHeads, keyHeads: layer.numKeyHeads, queryLength: queryLength,
      keyLength: keyLength, headDimension: layer.dimensions / layer.numHeads)
    if case .offsets(let offsets) = mask.alignment {
      require(
        offsets.count == batch,
        "MultiHeadAttention: expected \(batch) query offsets for \(shape), got \(offsets.count)")
    }
    queryOffsets = (0..<batch).map { mask.positionOffset(batch: $0, queryLength: queryLength, keyLength: keyLength) }
    keyOffsets = [Int](repeating: 0, count: batch)
    rotary = layer.rotary
    var (q, k) = (queries.splitIntoHeads(layer.numHeads), keys.splitIntoHeads(layer.numKeyHeads))
    if let rotary { (q, k) = (rotary(q, offsets: queryOffsets), rotary(k, offsets: keyOffsets)) }
    let width = keys.shape[2]
    let zeros = layer.addsZeroAttention ? [[Float](repeating: 0, count: width)] : []
    self.queries = q
    self.keys = k.prependingPositions((layer.biasKey.map { [$0.scalars] } ?? []) + zeros)
    self.values = values.splitIntoHeads(layer.numKeyHeads).prependingPositions(
      (layer.biasValue.map { [$0.scalars] } ?? []) + zeros)
    extraKeys = self.keys.shape[2] - keyLength
    self.mask = mask.extended(by: extraKeys, over: shape)
    let drops = dropoutSeed != nil && layer.dropout > 0
    options = AttentionOptions(
      dropout: drops ? AttentionDropout(probability: layer.dropout, seed: dropoutSeed!) : nil)
  }

  /// The gradient of heads [B, H, S, D] as that of what they were split from, [B, S, H·D].
  func unturned(_ gradient: Tensor, _ offsets: [Int]) -> Tensor {
    (rotary?.pullback(gradient, offsets: offsets) ?? gradient).mergedHeads()
  }
}
