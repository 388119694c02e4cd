extension Tensor {
  /// Σ_j weight_ij value_j for weights [B, Tq, Tk] and values [B, Tk, Dv] → [B, Tq, Dv]. For weights that are mostly 0:
  /// those take no time, and what they belong to may be NaN.
  func weightedSum(of values: Tensor) -> Tensor {
    var sums = [Float](repeating: 0, count: shape[0] * shape[1] * values.shape[2])
    forEachWeight(of: values) { weight, _, value, target in
      for d in 0..<values.shape[2] { sums[target + d] += weight * values.scalars[value + d] }
    }
    return Tensor(sums, shape: [shape[0], shape[1], values.shape[2]])
  }

  /// The gradients of the weights, 0 where a weight is 0, and of the values.
  func weightedSumGradients(of values: Tensor, _ outputGradient: Tensor) -> (weights: Tensor, values: Tensor) {
    var weightGradient = [Float](repeating: 0, count: count)
    var valueGradient = [Float](repeating: 0, count: values.count)
    forEachWeight(of: values) { weight, index, value, target in
      for d in 0..<values.shape[2] {
        let gradient = outputGradient.scalars[target + d]
        weightGradient[index] += gradient * values.scalars[value + d]
        valueGradient[value + d] += gradient * weight
      }
    }
    return (Tensor(weightGradient, shape: shape), Tensor(valueGradient, shape: values.shape))
  }

  /// Calls `body` for each weight that is not 0: the weight, its index, and where its value and its sum begin.
  private func forEachWeight(of values: Tensor, _ body: (Float, Int, Int, Int) -> Void) {
    let (queries, keys, width) = (shape[1], shape[2], values.shape[2])
    for row in 0..<shape[0] * queries {
      for j in 0..<keys where scalars[row * keys + j] != 0 {
        body(scalars[row * keys + j], row * keys + j, (row / queries * keys + j) * width, row * width)
      }
    }
  }
}
