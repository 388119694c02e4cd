/// Additive attention:
///
///     e_ij = v · tanh(Wq q_i + Wk k_j + b),  α_ij = softmax_j(e_ij),  context_i = Σ_j α_ij value_j
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv], A hidden units → context [B, Dv] or
/// [B, Tq, Dv], weights [B, Tk] or [B, Tq, Tk]. No array of size Tq × Tk × A is made, and for the context alone none of
/// size Tq × Tk.
///
/// The attention of Bahdanau et al. 2015 (arXiv:1409.0473), also called Bahdanau or MLP attention. Some write one W
/// over the joined vector, tanh(W [q; k]): see ``init(concatenatedWeight:queryDimensions:bias:vector:)``; some use one
/// W for both: see ``keyWeight``.
///
/// ```swift
/// let layer = AdditiveAttention(dimensions: 10, seed: 0)
/// let (context, weights) = layer.attend(query, keys: encoded, mask: .keyLengths([5, 3]))
/// ```
public struct AdditiveAttention: AlignmentLayer, Equatable {
  /// Wq, [A, Hq].
  public var queryWeight: Tensor
  /// Wk, [A, Hk]; nil where Wq serves for the keys too.
  public var keyWeight: Tensor?
  /// b, [A]; nil for none.
  public var bias: Tensor?
  /// v, [A].
  public var vector: Tensor

  /// Gradients of the parameters, nil where the layer has none.
  public struct Gradients: Sendable, Equatable {
    /// [A, Hq]; where the layer has one W for both, the sum over both uses.
    public var queryWeight: Tensor
    /// [A, Hk].
    public var keyWeight: Tensor?
    /// [A].
    public var bias: Tensor?
    /// [A].
    public var vector: Tensor
  }

  /// A layer of the given parameters. Without `keyWeight`, `queryWeight` serves for both.
  public init(queryWeight: Tensor, keyWeight: Tensor?, bias: Tensor? = nil, vector: Tensor) {
    self.queryWeight = queryWeight
    self.keyWeight = keyWeight
    self.bias = bias
    self.vector = vector
    check()
  }

  /// The form tanh(W [q; k] + b): the first `queryDimensions` columns of W, [A, Hq + Hk], are Wq, the others Wk.
  public init(concatenatedWeight weight: Tensor, queryDimensions: Int, bias: Tensor? = nil, vector: Tensor) {
    require(
      weight.rank == 2 && (0...(weight.shape.last ?? 0)).contains(queryDimensions),
      "AdditiveAttention: expected a weight [A, \(queryDimensions) + Hk], got \(weight.shape)")
    let (query, key) = weight.columns(splitAt: queryDimensions)
    self.init(queryWeight: query, keyWeight: key, bias: bias, vector: vector)
  }

  /// A layer with parameters drawn from the seed, uniform in ±1/√inputs as PyTorch's `nn.Linear` does.
  ///
  /// - Parameters:
  ///   - dimensions: Hq.
  ///   - keyDimensions: Hk; Hq unless given.
  ///   - hiddenDimensions: A; Hq unless given.
  ///   - sharesWeight: Whether Wq serves for the keys too.
  ///   - bias: Whether there is a b.
  ///   - seed: Names the parameters drawn.
  public init(
    dimensions: Int, keyDimensions: Int? = nil, hiddenDimensions: Int? = nil, sharesWeight: Bool = false,
    bias: Bool = true, seed: UInt64
  ) {
    let (keyDimensions, hidden) = (keyDimensions ?? dimensions, hiddenDimensions ?? dimensions)
    require(
      dimensions > 0 && keyDimensions > 0 && hidden > 0,
      "AdditiveAttention: expected positive dimensions, got \(dimensions), \(keyDimensions) and \(hidden)")
    require(
      !sharesWeight || keyDimensions == dimensions,
      "AdditiveAttention: a shared weight needs queries and keys of one size, not \(dimensions) and \(keyDimensions)")
    var generator = InitialGenerator(seed: seed)
    let query = Linear(dimensions, hidden, bias: bias, using: &generator)
    let key = sharesWeight ? nil : Linear(keyDimensions, hidden, bias: false, using: &generator).weight
    let bound = 1 / Double(hidden).squareRoot()
    self.init(
      queryWeight: query.weight, keyWeight: key, bias: query.bias,
      vector: .uniform([hidden], bound: bound, using: &generator))
  }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    let (q, k) = projected(inputs)
    return inputs.asQueries(
      additiveAttention(queries: q, keys: k, values: inputs.values.asOneHead, vector: vector, mask: mask))
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    let (q, k) = projected(inputs)
    return AttentionWeights(additiveQueries: q, keys: k, vector: vector, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let (q, k) = projected(inputs)
    let (context, pullback) = additiveAttentionWithPullback(
      queries: q, keys: k, values: inputs.values.asOneHead, vector: vector, mask: mask)
    return (
      inputs.asQueries(context),
      { outputGradient in gradients(inputs, pullback(inputs.checked(outputGradient).asOneHead)) }
    )
  }

  /// From the gradients of the projections to those of what was projected.
  func gradients(
    _ inputs: AlignmentInputs, _ projections: AttentionGradients
  ) -> AlignmentGradients<Gradients> {
    let (q, k) = (projections.queries.withoutHead, projections.keys.withoutHead)
    let (queryPart, keyPart) = (q.transposedTimesVisible(inputs.queries), k.transposedTimesVisible(inputs.keys))
    let parameters = Gradients(
      queryWeight: keyWeight == nil ? queryPart.plus(keyPart) : queryPart,
      keyWeight: keyWeight == nil ? nil : keyPart, bias: bias.map { _ in q.summedOverRows() },
      vector: projections.vector ?? Tensor(repeating: 0, shape: vector.shape))
    return inputs.gradients(
      parameters, queries: q.times(queryWeight), keys: k.times(keyWeight ?? queryWeight),
      values: projections.values)
  }

  /// Wq q + b and Wk k, [B, 1, T, A].
  func projected(_ inputs: AlignmentInputs) -> (queries: Tensor, keys: Tensor) {
    var queries = inputs.queries.timesTransposed(queryWeight)
    if let bias { queries = queries.addingToRows(bias) }
    return (queries.asOneHead, inputs.keys.timesTransposed(keyWeight ?? queryWeight).asOneHead)
  }

  func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    check()
    return AlignmentInputs(
      "AdditiveAttention", queries: queries, keys: keys, values: values, queryDimensions: queryWeight.shape[1],
      keyDimensions: (keyWeight ?? queryWeight).shape[1])
  }

  private func check() {
    let (q, k, a) = (queryWeight.shape, (keyWeight ?? queryWeight).shape, vector.shape)
    require(
      a.count == 1 && q.count == 2 && k.count == 2 && q[0] == a[0] && k[0] == a[0] && (bias?.shape ?? a) == a,
      """
      AdditiveAttention: expected weights [A, Hq] and [A, Hk], a bias [A] and a vector [A], got \(q), \(k), \
      \(bias.map { "\($0.shape)" } ?? "none") and \(a)
      """)
  }
}
