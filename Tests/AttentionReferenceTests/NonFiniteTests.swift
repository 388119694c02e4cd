import AttentionReference
import Testing

/// NaN and infinities: what is masked does not leak, what is visible follows the formula.
@Suite struct NonFiniteTests {
  @Test(arguments: UInt64(1)...40) func nothingLeaksFromMaskedKeys(seed: UInt64) throws {
    var problem = Problem.random(seed: seed)
    let shape = problem.shape
    // Whole keys are hidden from all queries, so that their rows of K, V and bias may hold anything.
    var generator = SeededGenerator(seed: seed ^ 0xFFFF)
    let hidden = Set((0..<shape.keyLength).filter { $0 == 0 || generator.coin(0.3) })
    problem.options.mask = ReferenceBroadcast(
      elements: (0..<shape.keyLength).map { !hidden.contains($0) }, shape: [shape.keyLength])
    problem.options.bias = ReferenceBroadcast(elements: generator.numbers(shape.keyLength), shape: [shape.keyLength])

    for poison in [Double.nan, .infinity, -.infinity] {
      var poisoned = problem
      var bias = try #require(problem.options.bias).elements
      for j in hidden {
        bias[j] = poison
        for b in 0..<shape.batch {
          for g in 0..<shape.keyHeads {
            let row = problem.keyRow(batch: b, keyHead: g, key: j)
            poisoned.keys[row * shape.headDimension] = poison
            poisoned.values[row * shape.valueDimension] = poison
          }
        }
      }
      poisoned.options.bias = ReferenceBroadcast(elements: bias, shape: [shape.keyLength])
      for implementation in Implementation.allCases {
        let clean = implementation(problem)
        let result = implementation(poisoned)
        #expect(clean.output.allSatisfy { $0.isFinite })
        #expect(bits(result.output) == bits(clean.output), "seed \(seed), \(implementation), \(poison)")
        #expect(bits(result.logSumExp) == bits(clean.logSumExp), "seed \(seed), \(implementation), \(poison)")
      }
      let clean = problem.reference(emittingMatrices: true)
      let result = poisoned.reference(emittingMatrices: true)
      let (cleanWeights, cleanScores) = (try #require(clean.weights), try #require(clean.scores))
      #expect(bits(try #require(result.weights)) == bits(cleanWeights))
      #expect(bits(try #require(result.scores)) == bits(cleanScores))
    }
  }

  /// A NaN or +∞ among the visible scores, at any place, makes the whole row NaN.
  @Test(arguments: Implementation.allCases) func scoresWithoutAMaximum(implementation: Implementation) throws {
    for place in 0..<3 {
      for poison in [Double.nan, .infinity] {
        for sink in [nil, 0.0] {
          var bias = [0.0, 0, 0]
          bias[place] = poison
          var problem = Problem(keys: [0.1, 0.2, 0.3], values: [1, 2, 3, 4, 5, 6])
          problem.options.bias = ReferenceBroadcast(elements: bias, shape: [3])
          problem.options.sinks = sink.map { [$0] }
          let (output, logSumExp) = implementation(problem)
          #expect(output.count == 2 && output.allSatisfy { $0.isNaN }, "\(poison) at \(place)")
          #expect(logSumExp[0].isNaN, "\(poison) at \(place)")
          let weights = try #require(problem.reference(emittingMatrices: true).weights)
          #expect(weights.count == 3 && weights.allSatisfy { $0.isNaN }, "\(poison) at \(place)")
        }
      }
    }
  }

  /// NaN in a key reaches its own head and batch, nothing else.
  @Test(arguments: Implementation.allCases) func keyOfNaN(implementation: Implementation) {
    var problem = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 2, keyHeads: 2, queryLength: 1, keyLength: 3, headDimension: 2, valueDimension: 1),
      seed: 5)
    problem.keys[problem.keyRow(batch: 1, keyHead: 0, key: 2) * 2 + 1] = .nan
    let (output, logSumExp) = implementation(problem)
    #expect(output.map(\.isNaN) == [false, false, true, false])
    #expect(logSumExp.map(\.isNaN) == [false, false, true, false])
  }

  @Test(arguments: Implementation.allCases) func scoresOfMinusInfinity(implementation: Implementation) throws {
    var problem = Problem(keys: [0.1, 0.2], values: [1, 2])
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity, -.infinity], shape: [2])
    var (output, logSumExp) = implementation(problem)
    #expect(output[0].isNaN && logSumExp[0].isNaN)

    problem.options.sinks = [-.infinity]
    (output, logSumExp) = implementation(problem)
    #expect(output[0].isNaN && logSumExp[0].isNaN)

    problem.options.sinks = [0.75]
    (output, logSumExp) = implementation(problem)
    #expect(output == [0] && logSumExp == [0.75])
    #expect(problem.reference(emittingMatrices: true).weights == [0, 0])

    problem.options.sinks = nil
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity, 0], shape: [2])
    (output, logSumExp) = implementation(problem)
    #expect(output == [2])
    #expect(problem.reference(emittingMatrices: true).weights == [0, 1])
  }

  /// A sink that is NaN or +∞ makes the row NaN; one of −∞ is no sink.
  @Test(arguments: Implementation.allCases) func sinks(implementation: Implementation) {
    var problem = Problem(keys: [0.1, 0.2], values: [1, 2])
    let plain = implementation(problem)
    for sink in [Double.nan, .infinity] {
      problem.options.sinks = [sink]
      let (output, logSumExp) = implementation(problem)
      #expect(output[0].isNaN && logSumExp[0].isNaN)
    }
    problem.options.sinks = [-.infinity]
    let result = implementation(problem)
    #expect(result.output == plain.output && result.logSumExp == plain.logSumExp)
  }

  @Test(arguments: Implementation.allCases) func infiniteValues(implementation: Implementation) {
    var problem = Problem(keys: [0.1, 0.2], values: [.infinity, 1, 5, -.infinity])
    #expect(implementation(problem).output == [.infinity, -.infinity])

    problem.values = [.infinity, 1, -.infinity, 1]
    let opposite = implementation(problem).output
    #expect(opposite[0].isNaN && opposite[1].magnitude <= 1.0001)

    // Weight 0 by a score of −∞: 0·∞.
    problem.values = [.infinity, 1, 5, 1]
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity, 0], shape: [2])
    let weightless = implementation(problem).output
    #expect(weightless[0].isNaN && weightless[1] == 1)
  }

  /// Dropout does not hide that a row failed, even when it drops every key.
  @Test(arguments: Implementation.allCases) func droppedNaN(implementation: Implementation) throws {
    let dropsBoth = { (seed: UInt64) in
      (0..<2).allSatisfy { isDropped(batch: 0, head: 0, query: 0, key: $0, probability: 0.5, seed: seed) }
    }
    var problem = Problem(keys: [0.1, .nan], values: [1, 2])
    problem.options.dropoutProbability = 0.5
    problem.options.dropoutSeed = try #require((0..<100).first(where: dropsBoth))
    #expect(implementation(problem).output[0].isNaN)
    problem.keys[1] = 0.2
    #expect(implementation(problem).output == [0])
  }

  /// Weight 0 by dropout: 0·∞.
  @Test(arguments: Implementation.allCases) func infiniteValueUnderDropout(implementation: Implementation) throws {
    let dropsFirst = { (seed: UInt64) in
      isDropped(batch: 0, head: 0, query: 0, key: 0, probability: 0.5, seed: seed)
        && !isDropped(batch: 0, head: 0, query: 0, key: 1, probability: 0.5, seed: seed)
    }
    var problem = Problem(keys: [0.1, 0.2], values: [.infinity, 1, 5, 1])
    problem.options.dropoutProbability = 0.5
    problem.options.dropoutSeed = try #require((0..<100).first(where: dropsFirst))
    let (output, logSumExp) = implementation(problem)
    #expect(output[0].isNaN && output[1] > 0.5 && logSumExp[0].isFinite)
  }
}
