import RealModule

/// The gradients of a problem, to which one query after the other adds its part.
struct GradientSums {
  private var queries: Rows
  private var keys: Rows
  private var values: Rows
  private var bias: [Double]?
  private var sinks: [Double]?
  private var additive: [Double]?

  /// Zeros.
  init(of problem: ReferenceProblem) {
    queries = problem.queries.zeros
    keys = problem.keys.zeros
    values = problem.values.zeros
    bias = problem.options.bias.map { [Double](repeating: 0, count: $0.elements.count) }
    sinks = problem.options.sinks.map { [Double](repeating: 0, count: $0.count) }
    additive = problem.options.additive.map { [Double](repeating: 0, count: $0.count) }
  }

  var gradients: ReferenceGradients {
    ReferenceGradients(
      queries: queries.elements, keys: keys.elements, values: values.elements, bias: bias, additive: additive,
      sinks: sinks)
  }

  /// Adds the part of one query. Only visible keys and values are touched.
  mutating func add(
    _ problem: ReferenceProblem, _ outputGradient: Rows, batch b: Int, head h: Int, query i: Int
  ) {
    let row = problem.attend(batch: b, head: h, query: i)
    guard !row.visibleKeys.isEmpty else { return }
    let delta = innerProduct(outputGradient.row(b, h, i), row.output)
    if let sink = problem.options.sinks?[h] {
      sinks?[h] -= Double.exp(sink - row.logSumExp) * delta
    }
    for (j, weight) in zip(row.visibleKeys, row.weights) {
      addToValue(problem, outputGradient, weight: weight, batch: b, head: h, query: i, key: j)
      let weightGradient = problem.weightGradient(outputGradient, batch: b, head: h, query: i, key: j)
      let scoreGradient = weight * (weightGradient - delta)
      if let index = problem.options.bias?.index(batch: b, head: h, query: i, key: j) {
        bias?[index] += scoreGradient
      }
      addToQueryAndKey(problem, scoreGradient: scoreGradient, batch: b, head: h, query: i, key: j)
    }
  }

  /// dv_j += m_ij·p_ij·do_i.
  private mutating func addToValue(
    _ problem: ReferenceProblem, _ outputGradient: Rows, weight: Double, batch b: Int, head h: Int, query i: Int,
    key j: Int
  ) {
    let g = problem.shape.keyHead(ofQueryHead: h)
    let kept = problem.options.afterDropout(weight, batch: b, head: h, query: i, key: j)
    for d in 0..<problem.shape.valueDimension {
      values[b, g, j, d] += kept * outputGradient[b, h, i, d]
    }
  }

  /// dq_i += scale·dr_ij·k_j and dk_j += scale·dr_ij·q_i. Of additive scores, with t = tanh(q_i + k_j):
  /// dq_i and dk_j += scale·dr_ij·w_h∘(1 − t²), dw_h += scale·dr_ij·t.
  private mutating func addToQueryAndKey(
    _ problem: ReferenceProblem, scoreGradient: Double, batch b: Int, head h: Int, query i: Int, key j: Int
  ) {
    let g = problem.shape.keyHead(ofQueryHead: h)
    let productGradient =
      problem.options.scale(headDimension: problem.shape.headDimension)
      * problem.scaledProductGradient(scoreGradient, batch: b, head: h, query: i, key: j)
    if problem.options.additive != nil {
      let first = problem.options.additiveRow(head: h, headDimension: problem.shape.headDimension)
      for d in 0..<problem.shape.headDimension {
        let t = problem.additiveTanh(batch: b, head: h, query: i, key: j, channel: d)
        let sumGradient = productGradient * problem.additiveWeight(head: h, channel: d) * (1 - t * t)
        queries[b, h, i, d] += sumGradient
        keys[b, g, j, d] += sumGradient
        additive?[first + d] += productGradient * t
      }
      return
    }
    for d in 0..<problem.shape.headDimension {
      queries[b, h, i, d] += productGradient * problem.keys[b, g, j, d]
      keys[b, g, j, d] += productGradient * problem.queries[b, h, i, d]
    }
  }
}

extension ReferenceProblem {
  /// m_ij·⟨do_i, v_j⟩: the gradient in the weight of the softmax.
  func weightGradient(_ outputGradient: Rows, batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    let g = shape.keyHead(ofQueryHead: h)
    let afterDropout = innerProduct(outputGradient.row(b, h, i), values.row(b, g, j))
    return options.afterDropout(afterDropout, batch: b, head: h, query: i, key: j)
  }

  /// dr_ij = ds_ij·(1 − tanh²(r_ij ÷ softcap)): the gradient in scale·⟨q_i, k_j⟩.
  func scaledProductGradient(_ scoreGradient: Double, batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    guard options.softcap > 0 else { return scoreGradient }
    let product = scaledProduct(batch: b, head: h, query: i, key: j)
    return scoreGradient * softcapDerivative(product, cap: options.softcap)
  }
}

/// ⟨x, y⟩.
private func innerProduct(_ x: [Double], _ y: [Double]) -> Double {
  var sum = 0.0
  for (x, y) in zip(x, y) {
    sum += x * y
  }
  return sum
}
