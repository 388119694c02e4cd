/// Attention whose score reads query and key joined:
///
///     α_ij = softmax_j(v · tanh(W [q_i; k_j])),  context_i = Σ_j α_ij value_j
///
/// Queries [B, Hq] or [B, Tq, Hq], keys [B, Tk, Hk], values [B, Tk, Dv], A hidden units → context [B, Dv] or
/// [B, Tq, Dv], weights [B, Tk] or [B, Tq, Tk]. The joined vectors are never made: W [q; k] = Wq q + Wk k, which makes
/// this ``AdditiveAttention`` with one array of parameters and no bias.
///
/// The score "concat" of Luong et al. 2015 (arXiv:1508.04025).
///
/// ```swift
/// let layer = ConcatAttention(dimensions: 256, hiddenDimensions: 128, seed: 0)
/// let context = layer(decoderState, keys: encoded)
/// ```
public struct ConcatAttention: AlignmentLayer, Equatable {
  /// W, [A, Hq + Hk].
  public var weight: Tensor
  /// v, [A].
  public var vector: Tensor
  /// Hq: how many columns of W belong to the queries.
  public let queryDimensions: Int

  /// Gradients of the parameters.
  public struct Gradients: Sendable, Equatable {
    /// [A, Hq + Hk].
    public var weight: Tensor
    /// [A].
    public var vector: Tensor
  }

  /// A layer of the given parameters, [A, Hq + Hk] and [A].
  public init(weight: Tensor, queryDimensions: Int, vector: Tensor) {
    self.weight = weight
    self.vector = vector
    self.queryDimensions = queryDimensions
    check()
  }

  /// A layer with parameters drawn from the seed, uniform in ±1/√inputs as PyTorch's `nn.Linear` does.
  ///
  /// - Parameters:
  ///   - dimensions: Hq.
  ///   - keyDimensions: Hk; Hq unless given.
  ///   - hiddenDimensions: A; Hq unless given.
  ///   - seed: Names the parameters drawn.
  public init(dimensions: Int, keyDimensions: Int? = nil, hiddenDimensions: Int? = nil, seed: UInt64) {
    let hidden = hiddenDimensions ?? dimensions
    var generator = InitialGenerator(seed: seed)
    let joined = Linear(dimensions + (keyDimensions ?? dimensions), hidden, bias: false, using: &generator)
    self.init(
      weight: joined.weight, queryDimensions: dimensions,
      vector: Linear(hidden, 1, bias: false, using: &generator).weight.reshaped(to: [hidden]))
  }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    split(queries, keys, values)(queries, keys: keys, values: values, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    split(queries, keys, nil).weightsOnDemand(queries, keys: keys, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let additive = split(queries, keys, values)
    let (context, pullback) = additive.valueWithPullback(queries, keys: keys, values: values, mask: mask)
    return (context, { joined(pullback($0)) })
  }

  /// The gradients of Wq and Wk as those of W.
  func joined(_ gradients: AlignmentGradients<AdditiveAttention.Gradients>) -> AlignmentGradients<Gradients> {
    let parts = gradients.parameters
    let key = parts.keyWeight ?? Tensor(repeating: 0, shape: [vector.count, 0])
    return AlignmentGradients(
      parameters: Gradients(weight: parts.queryWeight.joined(key), vector: parts.vector),
      queries: gradients.queries, keys: gradients.keys, values: gradients.values)
  }

  func split(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AdditiveAttention {
    check()
    _ = AlignmentInputs(
      "ConcatAttention", queries: queries, keys: keys, values: values, queryDimensions: queryDimensions,
      keyDimensions: weight.shape[1] - queryDimensions)
    return AdditiveAttention(concatenatedWeight: weight, queryDimensions: queryDimensions, vector: vector)
  }

  private func check() {
    require(
      weight.rank == 2 && vector.shape == [weight.shape[0]] && (0...weight.shape[1]).contains(queryDimensions),
      """
      ConcatAttention: expected a weight [A, \(queryDimensions) + Hk] and a vector [A], got \(weight.shape) and \
      \(vector.shape)
      """)
  }
}
