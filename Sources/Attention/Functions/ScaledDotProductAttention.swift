/// Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762), exact and fused:
///
///     output = softmax(queries · keysᵀ · scale + …) · values
///
/// No array of size Sq × Sk is ever made.
///
/// ```swift
/// let o = scaledDotProductAttention(queries: q, keys: k, values: v, mask: .causal)
/// ```
///
/// - Parameters:
///   - queries: [B, H, Sq, D].
///   - keys: [B, G, Sk, D]; H must be a multiple of G.
///   - values: [B, G, Sk, Dv].
///   - scale: Multiplies q·k; nil = 1 ÷ √D. Any finite number.
///   - mask: Which pairs attend. A query that may attend to nothing gives zeros.
///   - options: Bias, softcap, ALiBi, sinks, dropout, threads.
/// - Returns: [B, H, Sq, Dv].
///
/// Stops with a message that shows the shapes when they do not fit together.
public func scaledDotProductAttention(
  queries: Tensor, keys: Tensor, values: Tensor, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> Tensor {
  let shape = attentionShape(queries: queries, keys: keys, values: values)
  var output = Tensor(
    repeating: 0, shape: [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension])
  stopping(on: shape) { () throws(AttentionError) in
    try output.withMutableScalars { (span) throws(AttentionError) in
      try scaledDotProductAttention(
        queries: queries.scalars.span, keys: keys.scalars.span, values: values.scalars.span, into: &span, shape: shape,
        scale: scale, mask: mask, options: options)
    }
  }
  return output
}

/// Scaled dot-product attention together with the log-sum-exp of each query's scores.
///
/// logSumExp_i = ln Σ_j exp(s_ij), natural logarithm, of the final scores (scale, softcap, bias, ALiBi and sink all in,
/// dropout not); −∞ for a query that may attend to nothing. It is what backward passes and merges of partial results
/// need.
///
/// - Returns: `output` [B, H, Sq, Dv] and `logSumExp` [B, H, Sq]. Parameters as in
///   ``scaledDotProductAttention(queries:keys:values:scale:mask:options:)``.
public func scaledDotProductAttentionWithLogSumExp(
  queries: Tensor, keys: Tensor, values: Tensor, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> (output: Tensor, logSumExp: Tensor) {
  let shape = attentionShape(queries: queries, keys: keys, values: values)
  var output = Tensor(
    repeating: 0, shape: [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension])
  var logSumExp = Tensor(repeating: 0, shape: [shape.batch, shape.queryHeads, shape.queryLength])
  stopping(on: shape) { () throws(AttentionError) in
    try output.withMutableScalars { (span) throws(AttentionError) in
      try logSumExp.withMutableScalars { (lse) throws(AttentionError) in
        try scaledDotProductAttention(
          queries: queries.scalars.span, keys: keys.scalars.span, values: values.scalars.span, into: &span,
          logSumExp: &lse, shape: shape, scale: scale, mask: mask, options: options)
      }
    }
  }
  return (output, logSumExp)
}

/// The same on memory of the caller's: any element type, either layout or own strides, no copies, and no allocation
/// once the first calls have warmed the library's scratch memory.
///
/// - Parameters:
///   - queries: [B, H, Sq, D] as `shape` lays them out.
///   - keys: [B, G, Sk, D] likewise.
///   - values: [B, G, Sk, Dv] likewise.
///   - output: Receives [B, H, Sq, Dv]; elements between strided rows are left alone.
///   - shape: Sizes and strides.
///   - scale: Multiplies q·k; nil = 1 ÷ √D.
///   - mask: Which pairs attend.
///   - options: Bias, softcap, ALiBi, sinks, dropout, threads.
/// - Throws: ``AttentionError`` when sizes, strides or options are wrong; the output is then untouched.
public func scaledDotProductAttention<Scalar: AttentionScalar>(
  queries: Span<Scalar>, keys: Span<Scalar>, values: Span<Scalar>, into output: inout MutableSpan<Scalar>,
  shape: AttentionShape, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) throws(AttentionError) {
  let counts = SpanCounts(queries: queries.count, keys: keys.count, values: values.count, output: output.count)
  try counts.check(shape)
  var failure: AttentionError?
  queries.withUnsafeBufferPointer { q in
    keys.withUnsafeBufferPointer { k in
      values.withUnsafeBufferPointer { v in
        output.withUnsafeMutableBufferPointer { o in
          failure = Kernel.forward(
            Scalar.scalarType, shape,
            Kernel.Operands(
              queries: q.baseAddress, keys: k.baseAddress, values: v.baseAddress, output: o.baseAddress,
              logSumExp: nil),
            scale, mask, options)
        }
      }
    }
  }
  if let failure { throw failure }
}

/// The same with the log-sum-exp of each query, [B, H, Sq] contiguous, in the type computed in.
public func scaledDotProductAttention<Scalar: AttentionScalar>(
  queries: Span<Scalar>, keys: Span<Scalar>, values: Span<Scalar>, into output: inout MutableSpan<Scalar>,
  logSumExp: inout MutableSpan<Scalar.Compute>, shape: AttentionShape, scale: Double? = nil,
  mask: AttentionMask = .none, options: AttentionOptions = AttentionOptions()
) throws(AttentionError) {
  let counts = SpanCounts(queries: queries.count, keys: keys.count, values: values.count, output: output.count)
  try counts.check(shape)
  try SpanCounts.check("logSumExp", logSumExp.count, holds: shape.rows)
  var failure: AttentionError?
  queries.withUnsafeBufferPointer { q in
    keys.withUnsafeBufferPointer { k in
      values.withUnsafeBufferPointer { v in
        output.withUnsafeMutableBufferPointer { o in
          logSumExp.withUnsafeMutableBufferPointer { l in
            failure = Kernel.forward(
              Scalar.scalarType, shape,
              Kernel.Operands(
                queries: q.baseAddress, keys: k.baseAddress, values: v.baseAddress, output: o.baseAddress,
                logSumExp: l.baseAddress),
              scale, mask, options)
          }
        }
      }
    }
  }
  if let failure { throw failure }
}

/// The shape that three tensors make together; stops when they do not.
func attentionShape(queries: Tensor, keys: Tensor, values: Tensor) -> AttentionShape {
  let (q, k, v) = (queries.shape, keys.shape, values.shape)
  require(
    q.count == 4 && k.count == 4 && v.count == 4 && q[0] == k[0] && k[0] == v[0] && k[1] == v[1] && k[2] == v[2]
      && q[3] == k[3],
    "attention: queries \(q), keys \(k), values \(v) do not fit together: expected [B, H, Sq, D], [B, G, Sk, D], [B, G, Sk, Dv]"
  )
  return AttentionShape(
    batch: q[0], queryHeads: q[1], keyHeads: k[1], queryLength: q[2], keyLength: k[2], headDimension: q[3],
    valueDimension: v[3])
}

/// Turns what a caller of the tensor functions did wrong into a stop that shows the shapes.
func stopping(on shape: AttentionShape, _ body: () throws(AttentionError) -> Void) {
  do throws(AttentionError) {
    try body()
  } catch {
    fatalError("attention: \(error.message) (\(shape))")
  }
}
