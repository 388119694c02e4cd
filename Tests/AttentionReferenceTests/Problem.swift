import AttentionReference

/// Inputs and options of one attention problem.
struct Problem: Sendable {
  var shape: ReferenceShape
  var queries: [Double]
  var keys: [Double]
  var values: [Double]
  var options = ReferenceOptions()

  /// Random inputs in −1...1.
  init(_ shape: ReferenceShape, using generator: inout SeededGenerator) {
    self.shape = shape
    queries = generator.numbers(shape.batch * shape.queryHeads * shape.queryLength * shape.headDimension)
    keys = generator.numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.headDimension)
    values = generator.numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.valueDimension)
  }

  init(_ shape: ReferenceShape, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    self.init(shape, using: &generator)
  }

  /// One batch, one head, with the given keys and values of one number each, and queries of 1.
  init(queryLength: Int = 1, keys: [Double], values: [Double]) {
    shape = ReferenceShape(
      batch: 1, queryHeads: 1, keyHeads: 1, queryLength: queryLength, keyLength: keys.count, headDimension: 1,
      valueDimension: values.count / keys.count)
    queries = [Double](repeating: 1, count: queryLength)
    self.keys = keys
    self.values = values
  }

  /// A random small shape with a random choice of options.
  static func random(seed: UInt64) -> Problem {
    var generator = SeededGenerator(seed: seed)
    var problem = Problem(.random(using: &generator), using: &generator)
    problem.options = .random(for: problem.shape, using: &generator)
    return problem
  }

  func reference(emittingMatrices: Bool = false) -> ReferenceResult {
    referenceAttention(
      queries: queries, keys: keys, values: values, shape: shape, options: options, emittingMatrices: emittingMatrices)
  }

  /// The index of the first element of key or value row j, in rows.
  func keyRow(batch b: Int, keyHead g: Int, key j: Int) -> Int { (b * shape.keyHeads + g) * shape.keyLength + j }

  /// The index of a pair in [B, H, Sq, Sk].
  func pair(batch b: Int, head h: Int, query i: Int, key j: Int) -> Int {
    ((b * shape.queryHeads + h) * shape.queryLength + i) * shape.keyLength + j
  }

  /// A bound on how far two evaluations of this problem in a type with unit roundoff u can be apart, to first order.
  ///
  /// With A the largest that the terms of a score can sum to in magnitude, a score is off by (D + c)·u·A: D roundings
  /// of the sum, c = 8 for product (or the tanh of a sum), scale, cap, bias, ALiBi and the rounding of the inputs. That
  /// error enters a
  /// weight's numerator and denominator, each with a relative error of another (Sk + c)·u from the sum, exp and the
  /// division. The output weighs values of at most V with them. Two evaluations differ by twice that.
  func roundingBound(unitRoundoff u: Double) -> Double {
    let V = max(1, largestMagnitude(values) / (1 - options.dropoutProbability))
    return 2 * V * weightError(unitRoundoff: u)
  }

  /// The relative error of a weight by the same account.
  func weightError(unitRoundoff u: Double) -> Double {
    let (D, Sk, c) = (Double(shape.headDimension), Double(shape.keyLength), 8.0)
    return 2 * ((D + c) * largestScore + (Sk + c)) * u
  }

  /// A: the largest that the terms of a score can sum to in magnitude.
  var largestScore: Double {
    let scale = scaleInForce.magnitude
    let farthest = Double(shape.queryLength + shape.keyLength) + largestMagnitude(options.queryOffsets.map(Double.init))
    let terms = options.additive.map(largestMagnitude) ?? largestMagnitude(queries) * largestMagnitude(keys)
    let products = scale * Double(shape.headDimension) * terms
    let finiteBias = options.bias?.elements.filter(\.isFinite) ?? []
    return products + largestMagnitude(finiteBias) + largestMagnitude(options.alibiSlopes ?? []) * farthest
      + largestMagnitude(options.sinks ?? [])
  }

  var scaleInForce: Double {
    options.scale ?? (options.additive == nil ? 1 / Double(shape.headDimension).squareRoot() : 1)
  }
}

/// The largest magnitude of the elements, 0 if there are none.
func largestMagnitude(_ numbers: [Double]) -> Double {
  numbers.map(\.magnitude).max() ?? 0
}

extension ReferenceShape {
  /// Sizes from 1 to 9, and heads in groups of 1 to 3.
  static func random(using generator: inout SeededGenerator) -> ReferenceShape {
    let keyHeads = Int.random(in: 1...3, using: &generator)
    return ReferenceShape(
      batch: .random(in: 1...3, using: &generator), queryHeads: keyHeads * .random(in: 1...3, using: &generator),
      keyHeads: keyHeads, queryLength: .random(in: 1...9, using: &generator),
      keyLength: .random(in: 1...9, using: &generator), headDimension: .random(in: 1...9, using: &generator),
      valueDimension: .random(in: 1...9, using: &generator))
  }

  var pairs: [Int] { [batch, queryHeads, queryLength, keyLength] }
}

extension ReferenceOptions {
  /// Each option is on with probability one half or less.
  static func random(for shape: ReferenceShape, using generator: inout SeededGenerator) -> ReferenceOptions {
    var options = ReferenceOptions()
    let Sk = shape.keyLength
    if generator.coin() { options.scale = .random(in: -2...2, using: &generator) }
    if generator.coin() { options.softcap = .random(in: 0.5...3, using: &generator) }
    if generator.coin() { options.causal = true }
    if generator.coin() {
      let count = generator.coin() ? 1 : shape.batch
      options.queryOffsets = (0..<count).map { _ in Int.random(in: -Sk...Sk, using: &generator) }
    }
    if generator.coin(0.3) { options.windowLeft = .random(in: 0...Sk, using: &generator) }
    if generator.coin(0.3) { options.windowRight = .random(in: 0...Sk, using: &generator) }
    if generator.coin(0.3) {
      options.keyLengths = (0..<shape.batch).map { _ in Int.random(in: 0...Sk, using: &generator) }
    }
    if generator.coin() {
      let axes = broadcastShape(of: shape.pairs, using: &generator)
      let elements = (0..<axes.reduce(1, *)).map { _ in generator.coin(0.8) }
      options.mask = ReferenceBroadcast(elements: elements, shape: axes)
    }
    if generator.coin() {
      let axes = broadcastShape(of: shape.pairs, using: &generator)
      options.bias = ReferenceBroadcast(elements: generator.numbers(axes.reduce(1, *)), shape: axes)
    }
    if generator.coin() { options.alibiSlopes = AttentionReference.alibiSlopes(heads: shape.queryHeads) }
    if generator.coin() { options.sinks = generator.numbers(shape.queryHeads) }
    if generator.coin(0.3) {
      options.dropoutProbability = .random(in: 0.1..<0.9, using: &generator)
      options.dropoutSeed = generator.next()
    }
    if generator.coin(0.3) { options.additive = additive(for: shape, using: &generator) }
    return options
  }

  /// A vector for additive scores, for all heads or one for each.
  static func additive(for shape: ReferenceShape, using generator: inout SeededGenerator) -> [Double] {
    generator.numbers((generator.coin() ? 1 : shape.queryHeads) * shape.headDimension)
  }

  /// The last axes of a shape, some of them 1.
  static func broadcastShape(of pairs: [Int], using generator: inout SeededGenerator) -> [Int] {
    let rank = Int.random(in: 0...4, using: &generator)
    return pairs.suffix(rank).map { generator.coin(0.7) ? $0 : 1 }
  }

  /// The names of the options that are on.
  var namesInUse: Set<String> {
    var names: Set<String> = []
    if scale != nil { names.insert("scale") }
    if softcap > 0 { names.insert("softcap") }
    if causal { names.insert("causal") }
    if !queryOffsets.isEmpty { names.insert("queryOffsets") }
    if windowLeft != nil { names.insert("windowLeft") }
    if windowRight != nil { names.insert("windowRight") }
    if keyLengths != nil { names.insert("keyLengths") }
    if mask != nil { names.insert("mask") }
    if bias != nil { names.insert("bias") }
    if alibiSlopes != nil { names.insert("alibiSlopes") }
    if sinks != nil { names.insert("sinks") }
    if dropoutProbability > 0 { names.insert("dropout") }
    if additive != nil { names.insert("additive") }
    return names
  }

  /// The options with one of them off.
  func without(_ name: String) -> ReferenceOptions {
    var options = self
    switch name {
    case "scale": options.scale = nil
    case "softcap": options.softcap = 0
    case "causal": options.causal = false
    case "queryOffsets": options.queryOffsets = []
    case "windowLeft": options.windowLeft = nil
    case "windowRight": options.windowRight = nil
    case "keyLengths": options.keyLengths = nil
    case "mask": options.mask = nil
    case "bias": options.bias = nil
    case "alibiSlopes": options.alibiSlopes = nil
    case "sinks": options.sinks = nil
    case "dropout": options.dropoutProbability = 0
    case "additive": options.additive = nil
    default: fatalError("no option is called \(name)")
    }
    return options
  }
}
