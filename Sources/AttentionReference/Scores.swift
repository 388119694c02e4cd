import RealModule

/// The inputs of a problem, as the formulas read them.
struct ReferenceProblem {
  let queries: Rows
  let keys: Rows
  let values: Rows
  let shape: ReferenceShape
  let options: ReferenceOptions

  init(queries: [Double], keys: [Double], values: [Double], shape: ReferenceShape, options: ReferenceOptions) {
    self.queries = Rows(
      elements: queries, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.headDimension)
    self.keys = Rows(elements: keys, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.headDimension)
    self.values = Rows(elements: values, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.valueDimension)
    self.shape = shape
    self.options = options
  }
}

extension ReferenceProblem {
  /// The keys that query i may attend to, in order.
  func visibleKeys(batch b: Int, head h: Int, query i: Int) -> [Int] {
    (0..<shape.keyLength).filter { j in options.isVisible(batch: b, head: h, query: i, key: j) }
  }

  /// s_ij = cap(scale·⟨q_i, k_j⟩) + bias_ij − slope_h·|i + offset − j|, where terms that are not asked for are absent.
  func score(batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    var score = scaledProduct(batch: b, head: h, query: i, key: j)
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

  /// scale·⟨q_i, k_j⟩, or scale·⟨w_h, tanh(q_i + k_j)⟩ of additive scores.
  func scaledProduct(batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    let product =
      options.additive == nil
      ? dotProduct(batch: b, head: h, query: i, key: j) : additiveScore(batch: b, head: h, query: i, key: j)
    return options.scale(headDimension: shape.headDimension) * product
  }

  /// ⟨w_h, tanh(q_i + k_j)⟩ (Bahdanau et al. 2015, arXiv:1409.0473).
  func additiveScore(batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    var sum = 0.0
    for d in 0..<shape.headDimension {
      sum += additiveWeight(head: h, channel: d) * additiveTanh(batch: b, head: h, query: i, key: j, channel: d)
    }
    return sum
  }

  /// tanh(q_id + k_jd).
  func additiveTanh(batch b: Int, head h: Int, query i: Int, key j: Int, channel d: Int) -> Double {
    Double.tanh(queries[b, h, i, d] + keys[b, shape.keyHead(ofQueryHead: h), j, d])
  }

  /// w_hd.
  func additiveWeight(head h: Int, channel d: Int) -> Double {
    guard let weights = options.additive else { return 0 }
    return weights[options.additiveRow(head: h, headDimension: shape.headDimension) + d]
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

/// The derivative of the cap, 1 − tanh²(s/c).
func softcapDerivative(_ score: Double, cap: Double) -> Double {
  let tanh = Double.tanh(score / cap)
  return 1 - tanh * tanh
}
