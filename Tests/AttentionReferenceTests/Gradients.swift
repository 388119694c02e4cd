import AttentionReference

/// The gradients of a problem, whoever computed them.
struct Gradients {
  var queries, keys, values: [Double]
  var bias, sinks, additive: [Double]?

  /// Those that there are, in a fixed order.
  var named: [(name: String, elements: [Double])] {
    [
      ("queries", queries), ("keys", keys), ("values", values), ("bias", bias), ("sinks", sinks),
      ("additive", additive),
    ].compactMap { name, elements in elements.map { (name, $0) } }
  }

  /// The largest difference of two sets of gradients, ∞ when one holds a bias, sinks or vectors and the other does not.
  func largestDifference(from other: Gradients) -> Double {
    guard named.map(\.name) == other.named.map(\.name) else { return .infinity }
    return zip(named, other.named).map {
      AttentionReferenceTests.largestDifference($0.elements, $1.elements)
    }.max() ?? 0
  }

  /// The bits of every element.
  var allBits: [UInt64] { named.flatMap { bits($0.elements) } }
}

extension Implementation {
  /// The gradients of a problem, given that of its output.
  func gradients(of problem: Problem, outputGradient: [Double]) -> Gradients {
    switch self {
    case .reference:
      let result = referenceAttentionGradients(
        queries: problem.queries, keys: problem.keys, values: problem.values, outputGradient: outputGradient,
        shape: problem.shape, options: problem.options)
      return Gradients(
        queries: result.queries, keys: result.keys, values: result.values, bias: result.bias, sinks: result.sinks,
        additive: result.additive)
    case .naiveDouble:
      let result = naiveAttentionGradients(
        queries: problem.queries, keys: problem.keys, values: problem.values, outputGradient: outputGradient,
        shape: problem.shape, options: problem.options)
      return Gradients(
        queries: result.queries, keys: result.keys, values: result.values, bias: result.bias, sinks: result.sinks,
        additive: result.additive)
    case .naiveFloat:
      let floats = { (numbers: [Double]) in numbers.map { Float($0) } }
      let doubles = { (numbers: [Float]) in numbers.map { Double($0) } }
      let result = naiveAttentionGradients(
        queries: floats(problem.queries), keys: floats(problem.keys), values: floats(problem.values),
        outputGradient: floats(outputGradient), shape: problem.shape, options: problem.options)
      return Gradients(
        queries: doubles(result.queries), keys: doubles(result.keys), values: doubles(result.values),
        bias: result.bias.map(doubles), sinks: result.sinks.map(doubles), additive: result.additive.map(doubles))
    }
  }
}

extension Problem {
  /// Random numbers in −1...1, [B, H, Sq, Dv].
  func randomOutputGradient(seed: UInt64) -> [Double] {
    var generator = SeededGenerator(seed: seed ^ 0xD0D0)
    return generator.numbers(shape.batch * shape.queryHeads * shape.queryLength * shape.valueDimension)
  }

  /// A bound on how far two evaluations of the gradients in a type with unit roundoff u can be apart, to first order.
  ///
  /// With ρ the relative error of a weight, V and G the largest value and output gradient, ⟨do, m·v⟩ and δ are at most
  /// M = Dv·G·V ÷ (1 − p); the first is off by (Dv + c)·u·M, the second by M·ρ more. So a score gradient is p_ij times
  /// at most 2M, off by p_ij·M·(3ρ + 2(Dv + 2c)·u). The derivative of the cap, at most 1 and with a slope below
  /// 1 ÷ cap, is off by ((D + c)·A ÷ cap + c)·u. Each gradient sums at most N·Sk such terms, N = B·H·Sq, times scale
  /// and a query or a key, or by 1 (of additive scores by 1 − t² and w, or by t); the weights of a row sum to at most 1, so all of it counts N times. Values and
  /// sinks stay below that: their terms have M·2ρ. Two evaluations differ by twice that.
  func gradientRoundingBound(unitRoundoff u: Double, outputGradient: [Double]) -> Double {
    let c = 8.0
    let (D, Dv, Sk) = (Double(shape.headDimension), Double(shape.valueDimension), Double(shape.keyLength))
    let N = Double(shape.batch * shape.queryHeads * shape.queryLength)
    let V = max(1, largestMagnitude(values)) / (1 - options.dropoutProbability)
    let M = Dv * largestMagnitude(outputGradient) * V
    let slope =
      options.additive.map { max(1, largestMagnitude($0)) } ?? max(largestMagnitude(queries), largestMagnitude(keys))
    let factor = max(1, scaleInForce.magnitude * slope)
    let cap = options.softcap > 0 ? ((D + c) * largestScore / options.softcap + c) * u : 0
    let relative = 4 * weightError(unitRoundoff: u) + 2 * (Dv + N * Sk + 2 * c) * u + 2 * cap
    return 2 * N * factor * M * relative
  }
}
