import Attention
import AttentionReference

/// Inputs and options of one attention problem, as the oracle takes them, and what they are for the library.
struct Problem: Sendable {
  var shape: ReferenceShape
  var queries: [Double]
  var keys: [Double]
  var values: [Double]
  var options = ReferenceOptions()
  /// How the library is told the offset; `options.queryOffsets` holds the same as a number.
  var alignment: CausalAlignment?

  /// Random inputs in −1...1.
  init(_ shape: ReferenceShape, using generator: inout SeededGenerator) {
    self.shape = shape
    queries = generator.numbers(shape.batch * shape.queryHeads * shape.queryLength * shape.headDimension)
    keys = generator.numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.headDimension)
    values = generator.numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.valueDimension)
  }

  init(
    batch: Int = 1, heads: Int = 1, keyHeads: Int? = nil, queries: Int, keys: Int, dimension: Int = 8,
    valueDimension: Int? = nil, seed: UInt64 = 1, options: ReferenceOptions = ReferenceOptions()
  ) {
    var generator = SeededGenerator(seed: seed)
    let shape = ReferenceShape(
      batch: batch, queryHeads: heads, keyHeads: keyHeads ?? heads, queryLength: queries, keyLength: keys,
      headDimension: dimension, valueDimension: valueDimension ?? dimension)
    self.init(shape, using: &generator)
    self.options = options
  }

  /// What a storage type holds of the problem: inputs rounded to it, options to the type computed in. Fused, naive and
  /// oracle then start from the same numbers.
  func rounded(to type: AttentionScalarType) -> Problem {
    var problem = self
    let scalar = type.scalar
    let store = { (numbers: [Double]) in numbers.map { scalar.init(rounding: $0).number } }
    problem.queries = store(queries)
    problem.keys = store(keys)
    problem.values = store(values)
    guard type != .float64 else { return problem }
    let compute = { (numbers: [Double]) in numbers.map { Double(Float($0)) } }
    problem.options.bias = options.bias.map {
      ReferenceBroadcast(elements: compute($0.elements), shape: $0.shape)
    }
    problem.options.alibiSlopes = options.alibiSlopes.map(compute)
    problem.options.sinks = options.sinks.map(compute)
    problem.options.additive = options.additive.map(compute)
    return problem
  }

  func reference(emittingMatrices: Bool = false) -> ReferenceResult {
    referenceAttention(
      queries: queries, keys: keys, values: values, shape: shape, options: options, emittingMatrices: emittingMatrices)
  }

  /// The textbook computation in the type that `type` computes in.
  func naive(in type: AttentionScalarType) -> (output: [Double], logSumExp: [Double]) {
    if type == .float64 {
      return naiveAttention(queries: queries, keys: keys, values: values, shape: shape, options: options)
    }
    let (output, logSumExp) = naiveAttention(
      queries: queries.map { Float($0) }, keys: keys.map { Float($0) }, values: values.map { Float($0) },
      shape: shape, options: options)
    return (output.map { Double($0) }, logSumExp.map { Double($0) })
  }

  var outputCount: Int { rowCount * shape.valueDimension }
  var rowCount: Int { shape.batch * shape.queryHeads * shape.queryLength }
  var pairs: [Int] { [shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength] }

  /// The index of a query row in [B, H, Sq].
  func row(batch b: Int = 0, head h: Int = 0, query i: Int) -> Int {
    (b * shape.queryHeads + h) * shape.queryLength + i
  }

  /// The index of a key or value row in [B, G, Sk].
  func keyRow(batch b: Int = 0, keyHead g: Int = 0, key j: Int) -> Int {
    (b * shape.keyHeads + g) * shape.keyLength + j
  }

  mutating func setKey(_ number: Double, batch b: Int = 0, keyHead g: Int = 0, key j: Int, at d: Int = 0) {
    keys[keyRow(batch: b, keyHead: g, key: j) * shape.headDimension + d] = number
  }

  mutating func setValue(_ number: Double, batch b: Int = 0, keyHead g: Int = 0, key j: Int, at d: Int = 0) {
    values[keyRow(batch: b, keyHead: g, key: j) * shape.valueDimension + d] = number
  }

  /// Values of the identity matrix: column j of the output is the weight of key j.
  mutating func readOutWeights() {
    shape.valueDimension = shape.keyLength
    let row = (0..<shape.keyLength * shape.keyLength).map { $0 / shape.keyLength == $0 % shape.keyLength ? 1.0 : 0 }
    values = (0..<shape.batch * shape.keyHeads).flatMap { _ in row }
  }
}

extension Problem: CustomStringConvertible {
  /// Everything but the arrays, which follow from the seed.
  var description: String {
    var text = "B \(shape.batch), H \(shape.queryHeads), G \(shape.keyHeads), Sq \(shape.queryLength)"
    text += ", Sk \(shape.keyLength), D \(shape.headDimension), Dv \(shape.valueDimension)"
    if let scale = options.scale { text += ", scale \(scale)" }
    if options.additive != nil { text += ", additive" }
    if options.softcap > 0 { text += ", softcap \(options.softcap)" }
    if options.causal { text += ", causal" }
    if let alignment { text += ", \(alignment)" }
    if !options.queryOffsets.isEmpty { text += ", offsets \(options.queryOffsets)" }
    if let left = options.windowLeft { text += ", window left \(left)" }
    if let right = options.windowRight { text += ", window right \(right)" }
    if let lengths = options.keyLengths { text += ", key lengths \(lengths)" }
    if let mask = options.mask { text += ", mask \(mask.shape)" }
    if let bias = options.bias { text += ", bias \(bias.shape)" }
    if let slopes = options.alibiSlopes { text += ", slopes \(slopes)" }
    if let sinks = options.sinks { text += ", sinks \(sinks)" }
    if options.dropoutProbability > 0 {
      text += ", dropout \(options.dropoutProbability) seed \(options.dropoutSeed)"
    }
    return text
  }
}
