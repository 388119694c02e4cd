import AttentionReference
import Testing

/// NaN and infinities on the way back: what is masked does not leak, what is visible follows the formula.
@Suite struct NonFiniteGradientTests {
  @Test(arguments: UInt64(1)...40) func nothingLeaksFromMaskedKeys(seed: UInt64) throws {
    var problem = Problem.random(seed: seed)
    let shape = problem.shape
    var generator = SeededGenerator(seed: seed ^ 0xFFFF)
    let hidden = Set((0..<shape.keyLength).filter { $0 == 0 || generator.coin(0.3) })
    problem.options.mask = ReferenceBroadcast(
      elements: (0..<shape.keyLength).map { !hidden.contains($0) }, shape: [shape.keyLength])
    problem.options.bias = ReferenceBroadcast(elements: generator.numbers(shape.keyLength), shape: [shape.keyLength])
    let outputGradient = problem.randomOutputGradient(seed: seed)

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
        let clean = implementation.gradients(of: problem, outputGradient: outputGradient)
        let gradients = implementation.gradients(of: poisoned, outputGradient: outputGradient)
        #expect(clean.named.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
        #expect(gradients.allBits == clean.allBits, "seed \(seed), \(implementation), \(poison)")
        #expect(hidden.allSatisfy { gradients.bias?[$0] == 0 }, "seed \(seed), \(implementation)")
      }
    }
  }

  /// Queries and output gradients of rows that attend to nothing may hold anything, sinks of heads of such rows too.
  @Test(arguments: UInt64(1)...40) func nothingLeaksFromEmptyRows(seed: UInt64) throws {
    var problem = Problem.random(seed: seed)
    let shape = problem.shape
    var generator = SeededGenerator(seed: seed ^ 0xEEEE)
    let emptyRows = Set((0..<shape.queryLength).filter { $0 == 0 || generator.coin(0.3) })
    let emptyHead = shape.queryHeads - 1
    problem.options.mask = ReferenceBroadcast(
      elements: (0..<shape.queryHeads * shape.queryLength).map {
        !emptyRows.contains($0 % shape.queryLength) && ($0 / shape.queryLength != emptyHead || emptyHead == 0)
      }, shape: [shape.queryHeads, shape.queryLength, 1])
    var sinks = generator.numbers(shape.queryHeads)
    problem.options.sinks = sinks
    let outputGradient = problem.randomOutputGradient(seed: seed)
    if emptyHead > 0 { sinks[emptyHead] = .nan }

    for poison in [Double.nan, .infinity] {
      var poisoned = problem
      var poisonedGradient = outputGradient
      poisoned.options.sinks = sinks
      let rows = 0..<shape.batch * shape.queryHeads * shape.queryLength
      for row in rows where emptyRows.contains(row % shape.queryLength) {
        poisoned.queries[row * shape.headDimension] = poison
        poisonedGradient[row * shape.valueDimension] = poison
      }
      for implementation in Implementation.allCases {
        let clean = implementation.gradients(of: problem, outputGradient: outputGradient)
        let gradients = implementation.gradients(of: poisoned, outputGradient: poisonedGradient)
        #expect(clean.named.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
        #expect(gradients.allBits == clean.allBits, "seed \(seed), \(implementation), \(poison)")
        for row in emptyRows {
          let first = row * shape.headDimension
          #expect(gradients.queries[first..<first + shape.headDimension].allSatisfy { $0 == 0 })
        }
      }
    }
  }

  /// A NaN in a query, in its output gradient or in a value it sees reaches what the row sees, nothing else.
  @Test(arguments: Implementation.allCases) func reachesWhatTheRowSees(implementation: Implementation) throws {
    var clean = Problem(
      ReferenceShape(
        batch: 1, queryHeads: 1, keyHeads: 1, queryLength: 2, keyLength: 3, headDimension: 1, valueDimension: 1),
      seed: 5)
    // Row 0 sees keys 0 and 1, row 1 sees keys 1 and 2.
    clean.options.mask = ReferenceBroadcast(elements: [true, true, false, false, true, true], shape: [2, 3])
    clean.options.bias = ReferenceBroadcast(elements: [0, 0, 0], shape: [3])
    let cleanGradients = implementation.gradients(of: clean, outputGradient: [0.5, -0.25])

    var query = clean
    query.queries[0] = .nan
    var value = clean
    value.values[0] = .nan
    for (problem, outputGradient) in [(query, [0.5, -0.25]), (value, [0.5, -0.25]), (clean, [.nan, -0.25])] {
      let gradients = implementation.gradients(of: problem, outputGradient: outputGradient)
      #expect(gradients.queries.map(\.isNaN) == [true, false])
      #expect(gradients.keys.map(\.isNaN) == [true, true, false])
      #expect(try #require(gradients.bias).map(\.isNaN) == [true, true, false])
      #expect(gradients.values[2] == cleanGradients.values[2] && gradients.keys[2] == cleanGradients.keys[2])
      #expect(gradients.queries[1] == cleanGradients.queries[1])
    }
    let failed = implementation.gradients(of: query, outputGradient: [0.5, -0.25])
    #expect(failed.values.map(\.isNaN) == [true, true, false])
  }

  /// A visible score of −∞ has weight 0: its key, value and bias have gradients 0, the others those without it.
  @Test(arguments: Implementation.allCases) func scoresOfMinusInfinity(implementation: Implementation) throws {
    var problem = Problem(keys: [0.1, 0.2, 0.3], values: [1, 2, 4])
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity, 0, 0], shape: [3])
    problem.options.sinks = [0.25]
    var shorter = Problem(keys: [0.2, 0.3], values: [2, 4])
    shorter.options.bias = ReferenceBroadcast(elements: [0, 0], shape: [2])
    shorter.options.sinks = [0.25]
    let gradients = implementation.gradients(of: problem, outputGradient: [0.5])
    let expected = implementation.gradients(of: shorter, outputGradient: [0.5])
    #expect(gradients.queries == expected.queries && gradients.sinks == expected.sinks)
    #expect(gradients.keys == [0] + expected.keys && gradients.values == [0] + expected.values)
    let expectedBias = try #require(expected.bias)
    #expect(try #require(gradients.bias) == [0] + expectedBias)
  }

  /// Scores that are all −∞ beside a finite sink: the sink has all the weight, and every gradient is 0.
  @Test(arguments: Implementation.allCases) func onlyTheSink(implementation: Implementation) {
    var problem = Problem(keys: [0.1, 0.2], values: [1, 2])
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity, -.infinity], shape: [2])
    problem.options.sinks = [0.75]
    let gradients = implementation.gradients(of: problem, outputGradient: [0.5])
    #expect(gradients.named.allSatisfy { $0.elements.allSatisfy { $0 == 0 } })
  }

  /// A sink of −∞ is no sink, with gradient 0; one that is NaN or +∞ makes the gradients NaN.
  @Test(arguments: Implementation.allCases) func sinks(implementation: Implementation) {
    var problem = Problem(keys: [0.1, 0.2], values: [1, 2])
    let plain = implementation.gradients(of: problem, outputGradient: [0.5])
    problem.options.sinks = [-.infinity]
    let absent = implementation.gradients(of: problem, outputGradient: [0.5])
    #expect(absent.sinks == [0] && absent.queries == plain.queries && absent.keys == plain.keys)
    #expect(absent.values == plain.values)
    for sink in [Double.nan, .infinity] {
      problem.options.sinks = [sink]
      let gradients = implementation.gradients(of: problem, outputGradient: [0.5])
      #expect(gradients.named.allSatisfy { $0.elements.allSatisfy(\.isNaN) }, "\(sink)")
    }
  }

  /// Dropout does not hide that a row failed, even when it drops every key.
  @Test(arguments: Implementation.allCases) func droppedNaN(implementation: Implementation) throws {
    let dropsBoth = { (seed: UInt64) in
      (0..<2).allSatisfy { isDropped(batch: 0, head: 0, query: 0, key: $0, probability: 0.5, seed: seed) }
    }
    var problem = Problem(keys: [0.1, .nan], values: [1, 2])
    problem.options.dropoutProbability = 0.5
    problem.options.dropoutSeed = try #require((0..<100).first(where: dropsBoth))
    let failed = implementation.gradients(of: problem, outputGradient: [0.5])
    #expect(failed.named.allSatisfy { $0.elements.allSatisfy(\.isNaN) })
    problem.keys[1] = 0.2
    let gradients = implementation.gradients(of: problem, outputGradient: [0.5])
    #expect(gradients.named.allSatisfy { $0.elements.allSatisfy { $0 == 0 } })
  }
}
