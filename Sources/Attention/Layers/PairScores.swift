#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// scale · q_i · k_j, or scale · v · tanh(q_i + k_j) with a vector, of [B, Tq, D] and [B, Tk, D]: [B, Tq, Tk], −∞ where
/// the mask hides a pair.
func pairScores(
  queries: Tensor, keys: Tensor, scale: Double, vector: Tensor? = nil, mask: AttentionMask
) -> Tensor {
  let (q, k) = (queries.asOneHead, keys.asOneHead)
  let shape = attentionShape(queries: q, keys: k, values: k)
  var options = AttentionOptions()
  options.additive = vector
  var scores = Tensor(repeating: 0, shape: [queries.shape[0], queries.shape[1], keys.shape[1]])
  stopping(on: shape) { () throws(AttentionError) in
    try scores.withMutableScalars { (span) throws(AttentionError) in
      try attentionMatrix(
        queries: q.scalars.span, keys: k.scalars.span, into: &span, shape: shape, scale: scale, mask: mask,
        options: options)
    }
  }
  return scores
}

/// From the gradients of products q_i · k_j, [B, Tq, Tk], to those of queries and keys. Gradients of 0 take no part.
func productGradients(_ gradient: Tensor, queries: Tensor, keys: Tensor) -> (queries: Tensor, keys: Tensor) {
  (gradient.weightedSum(of: keys), gradient.weightedSumGradients(of: keys, queries).values)
}

/// From the gradients ds of scores v · tanh(q_i + k_j), [B, Tq, Tk], with t_ij = tanh(q_i + k_j), to
///
///     dq_i = Σ_j ds_ij v∘(1 − t_ij²),  dk_j = Σ_i ds_ij v∘(1 − t_ij²),  dv = Σ_ij ds_ij t_ij
///
/// of queries [B, 1, Tq, A] and keys [B, 1, Tk, A]. Gradients of 0 take no part. Sums are taken in `Double`.
func additiveScoreGradients(
  _ gradient: Tensor, queries: Tensor, keys: Tensor, vector: Tensor
) -> (queries: Tensor, keys: Tensor, vector: Tensor) {
  let (queryLength, keyLength, width) = (gradient.shape[1], gradient.shape[2], vector.count)
  var queryGradient = [Double](repeating: 0, count: queries.count)
  var keyGradient = [Double](repeating: 0, count: keys.count)
  var vectorGradient = [Double](repeating: 0, count: width)
  let (q, k, v, ds) = (queries.scalars.span, keys.scalars.span, vector.scalars.span, gradient.scalars.span)
  for pair in ds.indices where ds[pair] != 0 {
    let row = pair / keyLength
    let (query, key) = (row * width, (row / queryLength * keyLength + pair % keyLength) * width)
    let slope = Double(ds[pair])
    for a in 0..<width {
      let t = tanh(Double(q[query + a]) + Double(k[key + a]))
      let sum = slope * Double(v[a]) * (1 - t * t)
      queryGradient[query + a] += sum
      keyGradient[key + a] += sum
      vectorGradient[a] += slope * t
    }
  }
  func tensor(_ sums: [Double], like x: Tensor) -> Tensor { Tensor(sums.map { Float($0) }, shape: x.shape) }
  return (tensor(queryGradient, like: queries), tensor(keyGradient, like: keys), tensor(vectorGradient, like: vector))
}

extension AttentionMask {
  /// Which pairs of one head attend, [B·Tq·Tk].
  func visiblePairs(batch: Int, queryLength: Int, keyLength: Int) -> [Bool] {
    pairScores(
      queries: Tensor(repeating: 0, shape: [batch, queryLength, 1]),
      keys: Tensor(repeating: 0, shape: [batch, keyLength, 1]), scale: 1, mask: self
    ).scalars.map { $0 == 0 }
  }
}
