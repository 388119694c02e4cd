/// The backward pass of attention by its formula, in Double: the judge of every faster implementation.
///
/// Given do, the gradient of a loss in the output, for each batch, query head and query i, over the visible keys j,
/// with p_ij the weights of ``referenceAttention(queries:keys:values:shape:options:emittingMatrices:)``, which are
/// exp(s_ij − lse_i), and m_ij what dropout multiplies a weight by, 0 or 1 ÷ (1 − p):
///
///     δ_i     = ⟨do_i, o_i⟩
///     dv_j    = Σ_i m_ij·p_ij·do_i
///     ds_ij   = p_ij·(m_ij·⟨do_i, v_j⟩ − δ_i)
///     dbias   = ds_ij
///     dr_ij   = ds_ij·(1 − tanh²(r_ij ÷ softcap)),   r_ij = scale·⟨q_i, k_j⟩
///     dq_i    = scale·Σ_j dr_ij·k_j
///     dk_j    = scale·Σ_i dr_ij·q_i
///     dsink_h = −Σ_i exp(sink_h − lse_i)·δ_i
///
/// and of additive attention, with r_ij = scale·⟨w_h, t_ij⟩ and t_ij = tanh(q_i + k_j),
///
///     dq_i = scale·Σ_j dr_ij·w_h∘(1 − t_ij²),  dk_j = scale·Σ_i dr_ij·w_h∘(1 − t_ij²),  dw_h = scale·Σ_ij dr_ij·t_ij
///
/// where dk and dv are summed over the query heads that read them too, dsink over batches, and dbias over the axes
/// along which the bias is broadcast (Dao et al. 2022, arXiv:2205.14135, appendix B, for the formulas without options).
///
/// - Invisible pairs contribute nothing, not even 0·NaN: what keys, values and biases hold there changes nothing.
/// - A query that may attend to nothing contributes nothing, to the sink neither, also when its query or its output
///   gradient is NaN.
/// - Otherwise the formula holds as written: a row whose forward pass is NaN, or whose output gradient is, makes the
///   gradients of all that it sees NaN.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], row-major.
///   - keys: [B, G, Sk, D].
///   - values: [B, G, Sk, Dv].
///   - outputGradient: [B, H, Sq, Dv].
///   - shape: the sizes. Sizes, counts and options that do not fit each other are the caller's mistake: the program
///     stops with a message that names both sides.
///   - options: those of the forward pass, the dropout seed among them.
public func referenceAttentionGradients(
  queries: [Double], keys: [Double], values: [Double], outputGradient: [Double], shape: ReferenceShape,
  options: ReferenceOptions = ReferenceOptions()
) -> ReferenceGradients {
  requireConsistent(
    queryCount: queries.count, keyCount: keys.count, valueCount: values.count, shape: shape, options: options)
  requireOutputGradient(count: outputGradient.count, shape: shape)
  let problem = ReferenceProblem(queries: queries, keys: keys, values: values, shape: shape, options: options)
  let outputGradient = Rows(
    elements: outputGradient, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.valueDimension)

  var sums = GradientSums(of: problem)
  for b in 0..<shape.batch {
    for h in 0..<shape.queryHeads {
      for i in 0..<shape.queryLength {
        sums.add(problem, outputGradient, batch: b, head: h, query: i)
      }
    }
  }
  return sums.gradients
}
