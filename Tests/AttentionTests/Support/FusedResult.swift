import Attention

/// What the library answers, in Double and bit for bit.
struct FusedResult: Sendable {
  var output: [Double]
  var logSumExp: [Double]
  var bits: Bits

  struct Bits: Equatable, Sendable {
    var output: [UInt64]
    var logSumExp: [UInt64]
  }
}

/// Something outside the output was written.
struct GapsWritten: Error {}

extension Problem {
  /// The library's answer to a problem stored as `type`. `mask` replaces the one that the options amount to.
  func fused(
    as type: AttentionScalarType = .float32, instructionSet: String? = nil, threads: Int? = nil,
    arrangement: Arrangement = Arrangement(), mask: AttentionMask? = nil
  ) throws -> FusedResult {
    func run<Scalar: TestScalar>(_: Scalar.Type) throws -> FusedResult {
      try fused(
        stored: Scalar.self, arrangement, mask ?? self.mask,
        attentionOptions(for: type, instructionSet: instructionSet, threads: threads))
    }
    return try run(type.scalar)
  }

  private func fused<Scalar: TestScalar>(
    stored: Scalar.Type, _ arrangement: Arrangement, _ mask: AttentionMask, _ options: AttentionOptions
  ) throws -> FusedResult {
    let (B, H, G) = (shape.batch, shape.queryHeads, shape.keyHeads)
    let (Sq, Sk, D, Dv) = (shape.queryLength, shape.keyLength, shape.headDimension, shape.valueDimension)
    let q = StridedArray<Scalar>(queries, batch: B, heads: H, rows: Sq, dimension: D, arrangement: arrangement)
    let k = StridedArray<Scalar>(keys, batch: B, heads: G, rows: Sk, dimension: D, arrangement: arrangement)
    let v = StridedArray<Scalar>(values, batch: B, heads: G, rows: Sk, dimension: Dv, arrangement: arrangement)
    var output = StridedArray<Scalar>(batch: B, heads: H, rows: Sq, dimension: Dv, arrangement: arrangement)
    let range = output.range
    // One more than there are rows: the last one must stay as it is.
    var lse = [Scalar.Compute](repeating: .nan, count: rowCount + 1)
    try output.storage.withUnsafeMutableBufferPointer { buffer in
      var inner = UnsafeMutableBufferPointer(rebasing: buffer[range]).mutableSpan
      var sums = lse.mutableSpan
      try scaledDotProductAttention(
        queries: q.storage.span.extracting(q.range), keys: k.storage.span.extracting(k.range),
        values: v.storage.span.extracting(v.range), into: &inner, logSumExp: &sums,
        shape: attentionShape(arrangement), scale: self.options.scale, mask: mask, options: options)
    }
    guard output.gapsAreIntact, lse.removeLast().isNaN else { throw GapsWritten() }
    let logSumExp = lse.map { Double($0) }
    let elements = output.elements
    return FusedResult(
      output: elements.map(\.number), logSumExp: logSumExp,
      bits: FusedResult.Bits(output: elements.map(\.pattern), logSumExp: logSumExp.map(\.bitPattern)))
  }
}
