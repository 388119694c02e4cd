/// Additive attention (Bahdanau et al. 2015, arXiv:1409.0473), fused: softmax over Σ_d w_d tanh(q_id + k_jd), of queries
/// and keys that have been projected to the same D channels already.
///
/// No array of size Sq × Sk × D is made, and no tanh is taken for a pair: tanh(a + b) = 1 − 2 ÷ (1 + e^{2a}·e^{2b}), so
/// exponentials are taken once for each query and each key.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], projected.
///   - keys: [B, G, Sk, D], projected; H must be a multiple of G.
///   - values: [B, G, Sk, Dv].
///   - vector: w, [D], or [H, D] with one for each head.
///   - mask: Which pairs attend.
///   - options: As for scaled dot-product attention.
/// - Returns: [B, H, Sq, Dv].
public func additiveAttention(
  queries: Tensor, keys: Tensor, values: Tensor, vector: Tensor, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> Tensor {
  scaledDotProductAttention(
    queries: queries, keys: keys, values: values, scale: 1, mask: mask, options: options.additive(vector))
}

/// Additive attention and its pullback; the gradients include that of the vector. Parameters as in
/// ``additiveAttention(queries:keys:values:vector:mask:options:)``.
public func additiveAttentionWithPullback(
  queries: Tensor, keys: Tensor, values: Tensor, vector: Tensor, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> (value: Tensor, pullback: @Sendable (Tensor) -> AttentionGradients) {
  scaledDotProductAttentionWithPullback(
    queries: queries, keys: keys, values: values, scale: 1, mask: mask, options: options.additive(vector))
}

/// The weights of additive attention, [B, H, Sq, Sk]; for looking. Parameters as in
/// ``additiveAttention(queries:keys:values:vector:mask:options:)``.
public func additiveAttentionWeights(
  queries: Tensor, keys: Tensor, vector: Tensor, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> Tensor {
  AttentionWeights(additiveQueries: queries, keys: keys, vector: vector, mask: mask, options: options).matrix()
}

extension AttentionWeights {
  /// The weights of additive attention, made when they are asked for. Parameters as in
  /// ``additiveAttention(queries:keys:values:vector:mask:options:)``.
  public init(
    additiveQueries queries: Tensor, keys: Tensor, vector: Tensor, mask: AttentionMask = .none,
    options: AttentionOptions = AttentionOptions()
  ) {
    self.init(queries: queries, keys: keys, scale: 1, mask: mask, options: options.additive(vector))
  }
}

extension AttentionOptions {
  fileprivate func additive(_ vector: Tensor) -> AttentionOptions {
    var options = self
    options.additive = vector
    return options
  }
}
