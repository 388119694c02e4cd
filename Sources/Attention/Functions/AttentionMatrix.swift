/// Weights or scores on memory of the caller's.
///
/// - Parameters:
///   - queries: [B, H, Sq, D] as `shape` lays them out.
///   - keys: [B, G, Sk, D] likewise.
///   - matrix: Receives [B, H, Sq, Sk], contiguous: the weights when `logSumExp` is given, else the final scores
///     (after scale, softcap, bias and ALiBi; −∞ where masked). With `rows` and `heads`, only those.
///   - logSumExp: [B, H, Sq] as the forward pass returned it.
///   - shape: Sizes and strides.
///   - rows: Query positions in the order wanted; nil = all.
///   - heads: Query heads in the order wanted; nil = all.
///   - scale: Multiplies q·k; nil = 1 ÷ √D.
///   - mask: Which pairs attend.
///   - options: Bias, softcap, ALiBi, sinks, threads.
/// - Throws: ``AttentionError`` when sizes, strides or options are wrong.
public func attentionMatrix<Scalar: AttentionScalar>(
  queries: Span<Scalar>, keys: Span<Scalar>, into matrix: inout MutableSpan<Scalar.Compute>,
  logSumExp: Span<Scalar.Compute>? = nil, shape: AttentionShape, rows: [Int]? = nil, heads: [Int]? = nil,
  scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) throws(AttentionError) {
  try SpanCounts(queries: queries.count, keys: keys.count, values: .max, output: .max).check(shape)
  var extents = shape.pairs
  if let rows { extents[2] = rows.count }
  if let heads { extents[1] = heads.count }
  try SpanCounts.check("matrix", matrix.count, holds: extents)
  if let logSumExp { try SpanCounts.check("logSumExp", logSumExp.count, holds: shape.rows) }
  var failure: AttentionError?
  queries.withUnsafeBufferPointer { q in
    keys.withUnsafeBufferPointer { k in
      matrix.withUnsafeMutableBufferPointer { m in
        var request = Kernel.WeightsRequest(rows: rows, heads: heads)
        func run(_ lse: UnsafePointer<Scalar.Compute>?) {
          failure = Kernel.weights(
            Scalar.scalarType, shape, q.baseAddress, k.baseAddress, logSumExp: lse, request, scale, mask, options)
        }
        guard let logSumExp else {
          request.scores = UnsafeMutableRawPointer(m.baseAddress)
          return run(nil)
        }
        request.weights = UnsafeMutableRawPointer(m.baseAddress)
        logSumExp.withUnsafeBufferPointer { run($0.baseAddress) }
      }
    }
  }
  if let failure { throw failure }
}
