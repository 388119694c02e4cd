import RealModule

/// The inputs of a problem, as the formulas read them.
struct ReferenceProblem {
  let queries: Rows
  let keys: Rows
  let values: Rows
  let shape: ReferenceShape
  let options: ReferenceOptions
}

extension ReferenceProblem {
  /// The keys that query i may attend to, in order.
  func visibleKeys(batch b: Int, head h: Int, query i: Int) -> [Int] {
    (0..<shape.keyLength).filter { j in options.isVisible(batch: b, head: h, query: i, key: j) }
  }

  /// s_ij = cap(scale·⟨q_i, k_j⟩) + bias_ij − slope_h·|i + offset − j|, where terms that are not asked for are absent.
  func score(batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    var score = options.scale(headDimension: shape.headDimension) * dotProduct(batch: b, head: h, query: i, key: j)
    if options.softcap > 0 {
      score = softcapped(score, cap: options.softcap)
    }
    if let bias = options.bias {
      score += bias.element(batch: b, head: h, query: i, key: j)
    }
    if let slopes = options.alibiSlopes {
      score -= slopes[h] * Double(options.relativePosition(batch: b, query: i, key: j).magnitude)
    }
    return score
  }

  /// ⟨q_i, k_j⟩.
  func dotProduct(batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    let g = shape.keyHead(ofQueryHead: h)
    var sum = 0.0
    for d in 0..<shape.headDimension {
      sum += queries[b, h, i, d] * keys[b, g, j, d]
    }
    return sum
  }
}

/// c·tanh(s/c) (Gemma 2, arXiv:2408.00118).
func softcapped(_ score: Double, cap: Double) -> Double {
  cap * Double.tanh(score / cap)
}
