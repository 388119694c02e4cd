extension Tensor {
  /// [m, a + b] → [m, a] and [m, b].
  package func columns(splitAt a: Int) -> (Tensor, Tensor) {
    let (rows, width) = (shape[0], shape[1])
    let left = copyingRows(rows, of: scalars, from: 0..<a, stride: width)
    let right = copyingRows(rows, of: scalars, from: a..<width, stride: width)
    return (Tensor(left, shape: [rows, a]), Tensor(right, shape: [rows, width - a]))
  }

  /// [m, a] and [m, b] → [m, a + b].
  package func joined(_ right: Tensor) -> Tensor {
    let (rows, a, b) = (shape[0], shape[1], right.shape[1])
    var joined = Kernel.written(rows * (a + b))
    Kernel.copyRows(rows, columns: a, of: scalars, .init(stride: a), to: &joined, .init(stride: a + b))
    Kernel.copyRows(rows, columns: b, of: right.scalars, .init(stride: b), to: &joined, .init(offset: a, stride: a + b))
    return Tensor(joined, shape: [rows, a + b])
  }

  /// [M, W] → [rows.count, W]: row rows[i] at i; zeros for a negative number.
  package func gatheringRows(_ rows: [Int]) -> Tensor {
    let width = shape[1]
    var gathered = Kernel.written(rows.count * width)
    Kernel.copyRows(
      rows.count, columns: width, of: scalars, .init(stride: width, index: rows.map { Int64($0) }), to: &gathered,
      .init(stride: width))
    return Tensor(gathered, shape: [rows.count, width])
  }
}

/// Some columns of each of `rows` rows that are `stride` apart.
private func copyingRows(_ rows: Int, of x: [Float], from columns: Range<Int>, stride: Int) -> [Float] {
  var copy = Kernel.written(rows * columns.count)
  Kernel.copyRows(
    rows, columns: columns.count, of: x, .init(offset: columns.lowerBound, stride: stride), to: &copy,
    .init(stride: columns.count))
  return copy
}
