import Attention
import Testing

/// Views of larger arrays through the strides of a shape.
@Suite struct StridedSpanTests {
  /// One projection leaves queries, keys and values together, [B, S, 3, H, D].
  @Test(arguments: availableInstructionSets) func fusedProjection(instructionSet: String) throws {
    let (B, S, H, D) = (2, 50, 3, 12)
    var generator = SeededGenerator(seed: 5)
    let projected = generator.floats(B * S * 3 * H * D)
    var output = [Float](repeating: .nan, count: B * S * H * D)
    var shape = AttentionShape(batch: B, queryHeads: H, queryLength: S, headDimension: D, layout: .bshd)
    let strides = AttentionStrides(batch: S * 3 * H * D, head: D, row: 3 * H * D)
    shape.queryStrides = strides
    shape.keyStrides = strides
    shape.valueStrides = strides
    let options = AttentionOptions(instructionSet: instructionSet)
    do {
      let whole = projected.span
      let part = { (index: Int) in index * H * D..<projected.count }
      var span = output.mutableSpan
      try scaledDotProductAttention(
        queries: whole.extracting(part(0)), keys: whole.extracting(part(1)), values: whole.extracting(part(2)),
        into: &span, shape: shape, mask: .causal, options: options)
    }

    let copied = { (part: Int) in
      var tensor = Tensor(repeating: 0, shape: [B, H, S, D])
      for b in 0..<B {
        for h in 0..<H {
          for i in 0..<S {
            for d in 0..<D { tensor[b, h, i, d] = projected[(((b * S + i) * 3 + part) * H + h) * D + d] }
          }
        }
      }
      return tensor
    }
    let expected = scaledDotProductAttention(
      queries: copied(0), keys: copied(1), values: copied(2), mask: .causal, options: options)
    var index = 0
    for b in 0..<B {
      for i in 0..<S {
        for h in 0..<H {
          for d in 0..<D {
            if output[index].bitPattern != expected[b, h, i, d].bitPattern {
              Issue.record("output[\(b), \(i), \(h), \(d)] is \(output[index]), expected \(expected[b, h, i, d])")
              return
            }
            index += 1
          }
        }
      }
    }
    #expect(index == output.count)
  }

  /// A stride of 0 repeats what it steps over: the same keys for every sequence of the batch.
  @Test func strideZeroRepeats() throws {
    let shared = Problem(queries: 4, keys: 6, dimension: 3)
    var repeated = shared
    repeated.shape.batch = 3
    repeated.queries = (0..<3).flatMap { b in shared.queries.map { $0 * Double(b + 1) } }
    repeated.keys = (0..<3).flatMap { _ in shared.keys }
    repeated.values = (0..<3).flatMap { _ in shared.values }
    let expected = try repeated.fused(as: .float64).output
    var shape = repeated.attentionShape()
    shape.keyStrides.batch = 0
    shape.valueStrides.batch = 0
    var output = [Double](repeating: .nan, count: 3 * 4 * 3)
    do {
      var span = output.mutableSpan
      try scaledDotProductAttention(
        queries: repeated.queries.span, keys: shared.keys.span, values: shared.values.span, into: &span, shape: shape)
    }
    #expect(output == expected)
  }

  /// Elements behind the last one that is reached are not needed.
  @Test func theLastRowNeedsNoGapBehindIt() throws {
    var shape = AttentionShape(batch: 1, queryHeads: 1, queryLength: 2, headDimension: 3)
    shape.queryStrides.row = 100
    let queries = [Float](repeating: 1, count: 103)
    let keys = [Float](repeating: 1, count: 6)
    var output = [Float](repeating: .nan, count: 6)
    var span = output.mutableSpan
    try scaledDotProductAttention(queries: queries.span, keys: keys.span, values: keys.span, into: &span, shape: shape)
    let short = Array(queries[..<102])
    let error = #expect(throws: AttentionError.self) {
      var span = output.mutableSpan
      try scaledDotProductAttention(
        queries: short.span, keys: keys.span, values: keys.span, into: &span, shape: shape)
    }
    #expect(error?.message == "queries hold 102 elements; the shape reaches 103")
    #expect(output == [Float](repeating: 1, count: 6))
  }
}
