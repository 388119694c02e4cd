import AttentionReference
import Testing

/// The gradients of the oracle against central differences of its own forward pass, every option on at once. The loss
/// is Σ do∘o.
@Suite struct FiniteDifferenceTests {
  static let seeds = UInt64(1)...60

  /// A power of two, so that steps are mostly exact. Its size balances the two parts of the tolerance below.
  static let step = 0x1p-16

  @Test(arguments: seeds) func agrees(seed: UInt64) {
    let problem = Problem.withEveryOption(seed: seed)
    let outputGradient = problem.randomOutputGradient(seed: seed)
    let gradients = Implementation.reference.gradients(of: problem, outputGradient: outputGradient)
    let inputs = DifferentiableInput.allCases.filter { $0 != .additive || problem.options.additive != nil }
    #expect(gradients.named.map(\.name) == inputs.map(\.rawValue))
    for (input, (_, gradient)) in zip(inputs, gradients.named) {
      #expect(gradient.count == problem[input].count)
      for index in gradient.indices {
        let difference = problem.centralDifference(input, index, outputGradient)
        let tolerance = problem.differenceTolerance(input, index, outputGradient)
        #expect(tolerance < 1e-6)
        #expect(
          (gradient[index] - difference).magnitude <= tolerance,
          "seed \(seed), \(input)[\(index)]: \(gradient[index]), by differences \(difference) ± \(tolerance)")
      }
    }
  }

  /// The problems above use every option (additive scores every other seed, one vector or one for each head), each rank
  /// of bias, and mostly have gradients that are far from 0.
  @Test func problemsHaveSomethingToSay() {
    var large: [String: Int] = [:]
    var (groups, empty, ranks) = (0, 0, Set<Int>())
    var (shared, separate) = (0, 0)
    for seed in Self.seeds {
      let problem = Problem.withEveryOption(seed: seed)
      #expect(problem.options.namesInUse.count == (seed.isMultiple(of: 2) ? 13 : 12))
      if let vectors = problem.options.additive, problem.shape.queryHeads > 1 {
        if vectors.count == problem.shape.headDimension { shared += 1 } else { separate += 1 }
      }
      #expect(problem.shape.headDimension != problem.shape.valueDimension)
      ranks.insert(problem.options.bias?.shape.count ?? -1)
      groups += problem.shape.queryHeads > problem.shape.keyHeads ? 1 : 0
      empty += problem.reference().logSumExp.contains(-.infinity) ? 1 : 0
      let outputGradient = problem.randomOutputGradient(seed: seed)
      let gradients = Implementation.reference.gradients(of: problem, outputGradient: outputGradient)
      for (name, elements) in gradients.named {
        large[name, default: 0] += largestMagnitude(elements) > 1e-2 ? 1 : 0
      }
    }
    #expect(ranks == [0, 1, 2, 3, 4])
    #expect(groups >= 20 && empty >= 10, "\(groups) with groups, \(empty) with empty rows")
    #expect(shared >= 5 && separate >= 5, "\(shared) with one vector, \(separate) with several")
    #expect(large.count == 6, "\(large)")
    #expect(large.allSatisfy { $0.value >= ($0.key == "additive" ? 20 : 40) }, "\(large)")
  }
}

/// What a loss can be differentiated by, in the order of `Gradients.named`.
private enum DifferentiableInput: String, CaseIterable {
  case queries, keys, values, bias, sinks, additive
}

extension Problem {
  fileprivate subscript(input: DifferentiableInput) -> [Double] {
    get {
      switch input {
      case .queries: queries
      case .keys: keys
      case .values: values
      case .bias: options.bias?.elements ?? []
      case .sinks: options.sinks ?? []
      case .additive: options.additive ?? []
      }
    }
    set {
      switch input {
      case .queries: queries = newValue
      case .keys: keys = newValue
      case .values: values = newValue
      case .bias: options.bias = ReferenceBroadcast(elements: newValue, shape: options.bias?.shape ?? [])
      case .sinks: options.sinks = newValue
      case .additive: options.additive = newValue
      }
    }
  }

  /// (loss(x + h) − loss(x − h)) ÷ 2h in one element. Outputs are subtracted before they are summed, so that those
  /// that do not depend on the element add no rounding error.
  fileprivate func centralDifference(_ input: DifferentiableInput, _ index: Int, _ outputGradient: [Double]) -> Double {
    var (above, below) = (self, self)
    above[input][index] += FiniteDifferenceTests.step
    below[input][index] -= FiniteDifferenceTests.step
    let outputs = zip(above.reference().output, below.reference().output)
    let change = zip(outputGradient, outputs).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) }
    return change / (above[input][index] - below[input][index])
  }

  /// How far a central difference with step h can be from the gradient: h²/6 times the largest third derivative, plus
  /// the rounding error of the outputs over 2h, plus that of the gradient.
  ///
  /// An output is the mean E[w] of w = m·v under the weights, |w| ≤ V. Before the cap, scores have derivatives of at most
  /// C, C₂ and C₃ in one input: C is scale times a query or a key, or 1 for biases and sinks, and C₂ = C₃ = 0; of
  /// additive scores C is scale times w or 1, C₂ = 0.77·C and C₃ = 2·C, as tanh has them. After it |s′| ≤ C,
  /// |s″| ≤ 0.77·C² ÷ cap + C₂ and |s‴| ≤ 2·C³ ÷ cap² + 3·0.77·C·C₂ ÷ cap + C₃. The output's third derivative is a sum of
  /// joint cumulants, κ(w, s′, s′, s′) + 3κ(w, s′, s″) + κ(w, s‴), which are at most 7·V·C³, 3·2·V·C·|s″| and V·|s‴|. The
  /// loss adds the rows that read the input, each output by its gradient.
  fileprivate func differenceTolerance(
    _ input: DifferentiableInput, _ index: Int, _ outputGradient: [Double]
  ) -> Double {
    let (h, u) = (FiniteDifferenceTests.step, 0x1p-53)
    let Dv = shape.valueDimension
    let rows = rowsReading(input, index)
    let weight = outputGradient[rows.lowerBound * Dv..<rows.upperBound * Dv].reduce(0) { $0 + $1.magnitude }
    let V = max(1, largestMagnitude(values) + h) / (1 - options.dropoutProbability)
    let slope =
      options.additive.map { max(1, largestMagnitude($0) + h) }
      ?? max(largestMagnitude(queries), largestMagnitude(keys)) + h
    let C = max(1, scaleInForce.magnitude * slope)
    let (C2, C3) = options.additive == nil ? (0, 0) : (0.77 * C, 2 * C)
    let cap = options.softcap
    let second = 0.77 * C * C / cap + C2
    let third = V * (7 * C * C * C + 3 * 2 * C * second + 2 * C * C * C / (cap * cap) + 3 * 0.77 * C * C2 / cap + C3)
    return weight * (h * h / 6 * third + roundingBound(unitRoundoff: u) / (2 * h))
      + gradientRoundingBound(unitRoundoff: u, outputGradient: outputGradient)
  }

  /// The rows of [B, H, Sq] that may depend on an element.
  private func rowsReading(_ input: DifferentiableInput, _ index: Int) -> Range<Int> {
    let rowsOfKeyHead = shape.queryHeads / shape.keyHeads * shape.queryLength
    let (row, span) =
      switch input {
      case .queries: (index / shape.headDimension, 1)
      case .keys: (index / (shape.keyLength * shape.headDimension), rowsOfKeyHead)
      case .values: (index / (shape.keyLength * shape.valueDimension), rowsOfKeyHead)
      case .bias, .sinks, .additive: (0, shape.batch * shape.queryHeads * shape.queryLength)
      }
    return row * span..<(row + 1) * span
  }

  /// A small random problem that uses every option, with biases of each rank in turn.
  fileprivate static func withEveryOption(seed: UInt64) -> Problem {
    var generator = SeededGenerator(seed: seed)
    let keyHeads = Int.random(in: 1...2, using: &generator)
    let D = Int.random(in: 1...3, using: &generator)
    let Sk = Int.random(in: 2...4, using: &generator)
    let shape = ReferenceShape(
      batch: .random(in: 1...2, using: &generator), queryHeads: keyHeads * .random(in: 1...2, using: &generator),
      keyHeads: keyHeads, queryLength: .random(in: 1...4, using: &generator), keyLength: Sk, headDimension: D,
      valueDimension: D + .random(in: 1...2, using: &generator))
    var problem = Problem(shape, using: &generator)
    let maskShape = ReferenceOptions.broadcastShape(of: shape.pairs, using: &generator)
    let biasShape = shape.pairs.suffix(Int(seed % 5)).map { generator.coin(0.7) ? $0 : 1 }
    problem.options = ReferenceOptions(
      scale: (generator.coin() ? 1 : -1) * .random(in: 0.5...1.5, using: &generator),
      softcap: .random(in: 0.7...2, using: &generator), causal: true,
      queryOffsets: (0..<shape.batch).map { _ in Int.random(in: 0...Sk, using: &generator) },
      windowLeft: .random(in: 2...Sk, using: &generator), windowRight: .random(in: 0...Sk, using: &generator),
      keyLengths: (0..<shape.batch).map { _ in Int.random(in: 1...Sk, using: &generator) },
      mask: ReferenceBroadcast(
        elements: (0..<maskShape.reduce(1, *)).map { _ in generator.coin(0.9) }, shape: maskShape),
      bias: ReferenceBroadcast(elements: generator.numbers(biasShape.reduce(1, *)), shape: biasShape),
      alibiSlopes: alibiSlopes(heads: shape.queryHeads), sinks: generator.numbers(shape.queryHeads),
      dropoutProbability: .random(in: 0.1..<0.4, using: &generator), dropoutSeed: generator.next())
    if seed.isMultiple(of: 2) { problem.options.additive = ReferenceOptions.additive(for: shape, using: &generator) }
    return problem
  }
}
