// What is masked must not leak. A masked row has a gradient of zeros, but may hold NaN or infinity, and 0 · NaN would
// enter every sum over rows. So a row whose gradient is zeros counts as no row.
extension Tensor {
  /// The rows, over the last axis, with zeros instead of those whose gradient, [..., any], is zeros. Without numbers that
  /// are not finite the tensor stays as it is.
  func visibleRows(under gradient: Tensor) -> Tensor {
    // The sum of squares of very large numbers overflows too, which costs time and changes nothing.
    guard !Kernel.sumOfSquares(scalars).isFinite else { return self }
    let width = shape[rank - 1]
    var rows = scalars
    for row in 0..<count / width where gradient.isZero(row: row) {
      for column in 0..<width { rows[row * width + column] = 0 }
    }
    return Tensor(rows, shape: shape)
  }

  /// Σ_rows selfᵀ·x, where self is a gradient: that of the weights of an affine layer.
  func transposedTimesVisible(_ x: Tensor) -> Tensor { transposedTimes(x.visibleRows(under: self)) }

  /// Whether a row over the last axis holds nothing but zeros.
  func isZero(row: Int) -> Bool {
    let width = shape[rank - 1]
    return !scalars[row * width..<(row + 1) * width].contains { $0 != 0 }
  }
}
