/// The attention weights themselves: softmax(queries · keysᵀ · scale + …), [B, H, Sq, Sk].
///
/// This makes the Sq × Sk array that fused attention avoids: it is for looking and for small problems. Weights are those
/// before dropout; rows that may attend to nothing are 0; with sinks a row sums to less than 1. Parameters as in
/// ``scaledDotProductAttention(queries:keys:values:scale:mask:options:)``.
public func attentionWeights(
  queries: Tensor, keys: Tensor, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> Tensor {
  let shape = attentionShape(queries: queries, keys: keys, values: keys)
  let logSumExp = scaledDotProductAttentionWithLogSumExp(
    queries: queries, keys: keys, values: keys, scale: scale, mask: mask, options: options
  ).logSumExp
  var weights = Tensor(
    repeating: 0, shape: [shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength])
  stopping(on: shape) { () throws(AttentionError) in
    try weights.withMutableScalars { (span) throws(AttentionError) in
      try attentionMatrix(
        queries: queries.scalars.span, keys: keys.scalars.span, into: &span, logSumExp: logSumExp.scalars.span,
        shape: shape, scale: scale, mask: mask, options: options)
    }
  }
  return weights
}

/// Weights or scores on memory of the caller's.
///
/// - Parameters:
///   - queries: [B, H, Sq, D] as `shape` lays them out.
///   - keys: [B, G, Sk, D] likewise.
///   - matrix: Receives [B, H, Sq, Sk], contiguous: the weights when `logSumExp` is given, else the final scores
///     (after scale, softcap, bias and ALiBi; −∞ where masked).
///   - logSumExp: [B, H, Sq] as the forward pass returned it.
///   - shape: Sizes and strides.
///   - scale: Multiplies q·k; nil = 1 ÷ √D.
///   - mask: Which pairs attend.
///   - options: Bias, softcap, ALiBi, sinks, threads.
/// - Throws: ``AttentionError`` when sizes, strides or options are wrong.
public func attentionMatrix<Scalar: AttentionScalar>(
  queries: Span<Scalar>, keys: Span<Scalar>, into matrix: inout MutableSpan<Scalar.Compute>,
  logSumExp: Span<Scalar.Compute>? = nil, shape: AttentionShape, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) throws(AttentionError) {
  try SpanCounts(queries: queries.count, keys: keys.count, values: .max, output: .max).check(shape)
  try SpanCounts.check("matrix", matrix.count, holds: shape.pairs)
  var failure: AttentionError?
  if let logSumExp {
    try SpanCounts.check("logSumExp", logSumExp.count, holds: shape.rows)
    logSumExp.withUnsafeBufferPointer { l in
      queries.withUnsafeBufferPointer { q in
        keys.withUnsafeBufferPointer { k in
          matrix.withUnsafeMutableBufferPointer { m in
            failure = Kernel.matrices(
              Scalar.scalarType, shape, q.baseAddress, k.baseAddress, logSumExp: l.baseAddress, scores: nil,
              weights: m.baseAddress, scale, mask, options)
          }
        }
      }
    }
  } else {
    queries.withUnsafeBufferPointer { q in
      keys.withUnsafeBufferPointer { k in
        matrix.withUnsafeMutableBufferPointer { m in
          failure = Kernel.matrices(
            Scalar.scalarType, shape, q.baseAddress, k.baseAddress, logSumExp: nil, scores: m.baseAddress,
            weights: nil, scale, mask, options)
        }
      }
    }
  }
  if let failure { throw failure }
}
