import Attention
import AttentionReference

/// SplitMix64 (Steele, Lea & Flood 2014): the same inputs on every machine.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// Uniform over [−1, 1).
  mutating func number() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
}

/// Queries, keys and values of one sequence, contiguous [heads, length, dimension], uniform over [−1, 1).
struct Inputs<Scalar: BenchmarkScalar> {
  let heads, length, dimension: Int
  let queries, keys, values: [Scalar]

  init(heads: Int, length: Int, dimension: Int, seed: UInt64) {
    (self.heads, self.length, self.dimension) = (heads, length, dimension)
    var generator = SplitMix64(state: seed)
    func numbers() -> [Scalar] {
      [Scalar](unsafeUninitializedCapacity: heads * length * dimension) { buffer, count in
        for index in 0..<buffer.count { buffer.initializeElement(at: index, to: Scalar(rounding: generator.number())) }
        count = heads * length * dimension
      }
    }
    queries = numbers()
    keys = numbers()
    values = numbers()
  }

  var shape: AttentionShape {
    AttentionShape(batch: 1, queryHeads: heads, queryLength: length, headDimension: dimension)
  }

  /// Runs the fused kernels into `output`. Nothing is allocated but what they allocate themselves.
  func fused(into output: inout [Scalar], isCausal: Bool, options: AttentionOptions) throws {
    var span = output.mutableSpan
    try scaledDotProductAttention(
      queries: queries.span, keys: keys.span, values: values.span, into: &span, shape: shape,
      mask: isCausal ? .causal : .none, options: options)
  }

  /// The same numbers, as the naive computation takes them.
  var naive: NaiveInputs<Scalar.Naive> {
    NaiveInputs(
      heads: heads, length: length, dimension: dimension, queries: queries.map(\.naive), keys: keys.map(\.naive),
      values: values.map(\.naive))
  }
}

/// Queries, keys and values for the naive computation.
struct NaiveInputs<Number: NaiveScalar> {
  let heads, length, dimension: Int
  let queries, keys, values: [Number]

  /// [heads, length, dimension].
  func attention(isCausal: Bool) -> [Number] {
    Number.attention(
      queries: queries, keys: keys, values: values, shape: shape(heads: heads, queries: length),
      options: ReferenceOptions(causal: isCausal))
  }

  /// The last `rows` rows of the last head: for lengths at which the whole would take too long.
  func lastRows(_ rows: Int, isCausal: Bool) -> [Number] {
    let head = length * dimension
    return Number.attention(
      queries: Array(queries.suffix(rows * dimension)), keys: Array(keys.suffix(head)),
      values: Array(values.suffix(head)), shape: shape(heads: 1, queries: rows),
      options: ReferenceOptions(causal: isCausal, queryOffsets: [length - rows]))
  }

  private func shape(heads: Int, queries: Int) -> ReferenceShape {
    ReferenceShape(
      batch: 1, queryHeads: heads, keyHeads: heads, queryLength: queries, keyLength: length, headDimension: dimension,
      valueDimension: dimension)
  }
}
