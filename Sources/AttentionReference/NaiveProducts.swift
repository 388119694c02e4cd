import RealModule

/// What stands for the product of a query and a key, over a whole head.
extension NaiveHead {
  /// matrix = ⟨q_i, k_j⟩, or ⟨w_h, tanh(q_i + k_j)⟩ of additive scores.
  func products(_ q: Input, _ k: Input, into matrix: Output) {
    let D = shape.headDimension
    guard let weights = additiveWeights else { return multiply(q, byTransposed: k, columns: D, into: matrix) }
    forEachPair { pair, i, j in
      var sum: Scalar = 0
      for d in 0..<D {
        sum += weights[d] * Scalar.tanh(q[i * D + d] + k[j * D + d])
      }
      matrix.initializeElement(at: pair, to: sum)
    }
  }

  /// From the gradients of the products to those of queries and keys, and of w_h in additive scores, without invisible
  /// pairs.
  func differentiateProducts(
    _ matrix: Output, _ q: Input, _ k: Input, visible: [Bool]?, addingTo queries: Output, _ keys: Output,
    _ additive: Output
  ) {
    let D = shape.headDimension
    guard let weights = additiveWeights else {
      multiply(matrix, by: k, columns: D, visible: visible, addingTo: queries)
      multiplyTransposed(matrix, by: q, columns: D, visible: visible, addingTo: keys)
      return
    }
    let first = options.additiveRow(head: head, headDimension: D)
    forEachPair { pair, i, j in
      guard visible?[pair] ?? true else { return }
      for d in 0..<D {
        let t = Scalar.tanh(q[i * D + d] + k[j * D + d])
        let sumGradient = matrix[pair] * weights[d] * (1 - t * t)
        queries[i * D + d] += sumGradient
        keys[j * D + d] += sumGradient
        additive[first + d] += matrix[pair] * t
      }
    }
  }

  /// w_h.
  private var additiveWeights: [Scalar]? {
    options.additive.map { weights in
      let first = options.additiveRow(head: head, headDimension: shape.headDimension)
      return weights[first..<first + shape.headDimension].map { Scalar($0) }
    }
  }

  private func forEachPair(_ body: (_ pair: Int, _ i: Int, _ j: Int) -> Void) {
    for i in 0..<shape.queryLength {
      for j in 0..<shape.keyLength {
        body(i * shape.keyLength + j, i, j)
      }
    }
  }
}
