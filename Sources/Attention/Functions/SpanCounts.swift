/// Whether spans are long enough for the strides of a shape: what keeps the kernels inside the caller's memory.
struct SpanCounts {
  var queries, keys, values, output: Int

  func check(_ shape: AttentionShape) throws(AttentionError) {
    try SpanCounts.check(
      "queries", queries, shape.queryStrides, shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension)
    try SpanCounts.check(
      "keys", keys, shape.keyStrides, shape.batch, shape.keyHeads, shape.keyLength, shape.headDimension)
    try SpanCounts.check(
      "values", values, shape.valueStrides, shape.batch, shape.keyHeads, shape.keyLength, shape.valueDimension)
    try SpanCounts.check(
      "output", output, shape.outputStrides, shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension)
  }

  /// The last element reached must exist; spans start at the first element, so strides may not be negative.
  private static func check(
    _ name: String, _ count: Int, _ strides: AttentionStrides, _ batch: Int, _ heads: Int, _ rows: Int,
    _ dimension: Int
  ) throws(AttentionError) {
    // Sizes below 1 are refused, with their names, by the kernel's own checks; they reach nothing.
    guard batch > 0, heads > 0, rows > 0, dimension > 0 else { return }
    guard
      let needed = reach(
        reach(reach(dimension, batch, strides.batch), heads, strides.head), rows, strides.row)
    else { throw AttentionError(.overflow, "the strides of \(name) are negative or overflow the address space") }
    guard needed <= count else {
      throw AttentionError(.shape, "\(name) hold \(count) elements; the shape reaches \(needed)")
    }
  }

  /// The elements reached so far, and on from each of `extent` steps of `stride`; nil on overflow.
  private static func reach(_ needed: Int?, _ extent: Int, _ stride: Int) -> Int? {
    guard let needed else { return nil }
    let (steps, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
    let (sum, tooMuch) = needed.addingReportingOverflow(steps)
    return steps >= 0 && !tooFar && !tooMuch ? sum : nil
  }

  /// For a contiguous array over `extents`.
  static func check(_ name: String, _ count: Int, holds extents: SIMD4<Int>) throws(AttentionError) {
    var needed: Int? = 1
    for axis in 0..<4 {
      guard let elements = needed else { break }
      let (product, overflow) = elements.multipliedReportingOverflow(by: max(extents[axis], 0))
      needed = overflow ? nil : product
    }
    guard let needed, needed <= count else {
      throw AttentionError(.shape, "\(name) holds \(count) elements; its shape is \((0..<4).map { extents[$0] })")
    }
  }
}
