extension Tensor {
  /// x·wᵀ over the last axis, [..., k] with w [m, k] → [..., m]: an affine layer's product.
  func timesTransposed(_ w: Tensor) -> Tensor {
    require(
      rank >= 1 && w.rank == 2 && w.shape[1] == shape[rank - 1],
      "product: \(shape) does not fit weights \(w.shape): the last axes differ")
    let (k, m) = (w.shape[1], w.shape[0])
    let rows = shape.dropLast().reduce(1, *)
    return Tensor(
      Kernel.matrixProduct(scalars, w.scalars, transposingB: true, m: rows, n: m, k: k), shape: shape.dropLast() + [m])
  }

  /// x·w over the last axis, [..., m] with w [m, k] → [..., k]: the gradient of the input of an affine layer.
  func times(_ w: Tensor) -> Tensor {
    require(
      rank >= 1 && w.rank == 2 && w.shape[0] == shape[rank - 1],
      "product: \(shape) does not fit weights \(w.shape): the last axis is not the first of the weights")
    let (m, k) = (w.shape[0], w.shape[1])
    let rows = shape.dropLast().reduce(1, *)
    return Tensor(Kernel.matrixProduct(scalars, w.scalars, m: rows, n: k, k: m), shape: shape.dropLast() + [k])
  }

  /// Σ over all leading axes of selfᵀ·x, [..., m] with x [..., k] → [m, k]: the gradient of an affine layer's weights.
  func transposedTimes(_ x: Tensor) -> Tensor {
    require(
      rank >= 1 && x.rank >= 1 && shape.dropLast().elementsEqual(x.shape.dropLast()),
      "product: \(shape) and \(x.shape) differ in their leading axes")
    let (m, k) = (shape[rank - 1], x.shape[x.rank - 1])
    let rows = shape.dropLast().reduce(1, *)
    return Tensor(
      Kernel.matrixProduct(scalars, transposingA: true, x.scalars, m: m, n: k, k: rows), shape: [m, k])
  }

  /// Σ over all leading axes, [..., m] → [m]: the gradient of an affine layer's bias.
  func summedOverRows() -> Tensor {
    let width = shape[rank - 1]
    let rows = shape.dropLast().reduce(1, *)
    // A product with a row of ones: each sum is one chain of additions in the order of the rows.
    let sums = Kernel.matrixProduct([Float](repeating: 1, count: rows), scalars, m: 1, n: width, k: rows)
    return Tensor(sums, shape: [width])
  }
}
