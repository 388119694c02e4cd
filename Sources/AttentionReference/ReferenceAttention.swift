/// Attention by its formula, in Double: the judge of every faster implementation.
///
/// For each batch b, query head h (reading key/value head g = h ÷ (H ÷ G)) and query i, over the visible keys j:
///
///     s_j = cap(scale·⟨q_i, k_j⟩) + bias_ij − slope_h·|i + offset_b − j|
///     m   = max(max_j s_j, sink_h)
///     z   = Σ_j exp(s_j − m) + exp(sink_h − m)
///     o_i = Σ_j dropout(exp(s_j − m) / z)·v_j
///     lse_i = m + ln z
///
/// where ⟨w_h, tanh(q_i + k_j)⟩ replaces ⟨q_i, k_j⟩ for additive attention, cap(s) = softcap·tanh(s ÷ softcap) and terms that are not asked for are absent (Vaswani et al. 2017,
/// arXiv:1706.03762; the options name their own papers).
///
/// - A query that may attend to nothing, as the mask says and whatever the scores are, gives output 0, weights 0 and
///   a log-sum-exp of −∞, also with a sink.
/// - Keys, values and biases of invisible pairs are not read: NaN or ∞ there changes nothing.
/// - Otherwise the formula holds as written. A visible score that is NaN or +∞, or visible scores that are all −∞
///   without a finite sink, make the row NaN. A value of ±∞ under a positive weight gives ±∞. Under a weight of 0 it
///   gives 0·∞ = NaN, whether the weight is 0 because the score is −∞, because dropout removed it, or because the
///   exponential underflowed (a score more than 745 below m).
/// - B = 0 or Sq = 0 give empty arrays, Sk = 0 rows that attend to nothing.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], row-major.
///   - keys: [B, G, Sk, D].
///   - values: [B, G, Sk, Dv].
///   - shape: the sizes. Sizes, counts and options that do not fit each other are the caller's mistake: the program
///     stops with a message that names both sides.
///   - options: what is asked for beyond the plain formula.
///   - emittingMatrices: whether the result holds `weights` and `scores`.
public func referenceAttention(
  queries: [Double], keys: [Double], values: [Double], shape: ReferenceShape,
  options: ReferenceOptions = ReferenceOptions(), emittingMatrices: Bool = false
) -> ReferenceResult {
  requireConsistent(
    queryCount: queries.count, keyCount: keys.count, valueCount: values.count, shape: shape, options: options)
  let problem = ReferenceProblem(queries: queries, keys: keys, values: values, shape: shape, options: options)

  var output: [Double] = []
  var logSumExp: [Double] = []
  var weights: [Double] = []
  var scores: [Double] = []
  for b in 0..<shape.batch {
    for h in 0..<shape.queryHeads {
      for i in 0..<shape.queryLength {
        let row = problem.attend(batch: b, head: h, query: i)
        output += row.output
        logSumExp.append(row.logSumExp)
        if emittingMatrices {
          weights += row.spread(row.weights, elsewhere: 0, count: shape.keyLength)
          scores += row.spread(row.scores, elsewhere: -.infinity, count: shape.keyLength)
        }
      }
    }
  }
  return ReferenceResult(
    output: output, logSumExp: logSumExp, weights: emittingMatrices ? weights : nil,
    scores: emittingMatrices ? scores : nil)
}

/// The result of one query. Scores and weights are those of the visible keys, in the same order.
struct ReferenceRow {
  var visibleKeys: [Int]
  var scores: [Double]
  var weights: [Double]
  var output: [Double]
  var logSumExp: Double

  /// A row over all keys: what the visible ones hold, and `filler` elsewhere.
  func spread(_ visible: [Double], elsewhere filler: Double, count: Int) -> [Double] {
    var row = [Double](repeating: filler, count: count)
    for (j, element) in zip(visibleKeys, visible) {
      row[j] = element
    }
    return row
  }
}

extension ReferenceProblem {
  /// Attention of one query. Only visible keys and values are touched.
  func attend(batch b: Int, head h: Int, query i: Int) -> ReferenceRow {
    let visible = visibleKeys(batch: b, head: h, query: i)
    guard !visible.isEmpty else {
      return ReferenceRow(
        visibleKeys: [], scores: [], weights: [], output: [Double](repeating: 0, count: shape.valueDimension),
        logSumExp: -.infinity)
    }
    let scores = visible.map { j in score(batch: b, head: h, query: i, key: j) }
    let (weights, logSumExp) = softmax(scores, sink: options.sinks?[h])
    let kept = zip(visible, weights).map { j, weight in
      options.afterDropout(weight, batch: b, head: h, query: i, key: j)
    }
    return ReferenceRow(
      visibleKeys: visible, scores: scores, weights: weights,
      output: weightedValues(batch: b, head: h, keys: visible, weights: kept), logSumExp: logSumExp)
  }

  /// Σ_j w_j·v_j over the given keys.
  func weightedValues(batch b: Int, head h: Int, keys: [Int], weights: [Double]) -> [Double] {
    let g = shape.keyHead(ofQueryHead: h)
    var sum = [Double](repeating: 0, count: shape.valueDimension)
    for (j, weight) in zip(keys, weights) {
      for d in 0..<shape.valueDimension {
        sum[d] += weight * values[b, g, j, d]
      }
    }
    return sum
  }
}
