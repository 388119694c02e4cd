import AttentionReference
import Testing

/// What holds of the gradients beside their formula.
@Suite struct GradientTests {
  /// The textbook code and the oracle have no loop in common, and agree.
  @Test(arguments: UInt64(1)...200) func naiveAgreesWithOracle(seed: UInt64) {
    let problem = Problem.random(seed: seed)
    let outputGradient = problem.randomOutputGradient(seed: seed)
    let expected = Implementation.reference.gradients(of: problem, outputGradient: outputGradient)
    for implementation in [Implementation.naiveDouble, .naiveFloat] {
      let bound = problem.gradientRoundingBound(
        unitRoundoff: implementation.unitRoundoff, outputGradient: outputGradient)
      let gradients = implementation.gradients(of: problem, outputGradient: outputGradient)
      #expect(gradients.largestDifference(from: expected) <= bound, "seed \(seed), \(implementation), \(problem.shape)")
    }
  }

  /// Float is really computed in Float: the error is there, and it is small.
  @Test func floatRoundsLikeFloat() {
    let problem = Problem(
      ReferenceShape(
        batch: 1, queryHeads: 2, keyHeads: 1, queryLength: 20, keyLength: 30, headDimension: 32, valueDimension: 16),
      seed: 11)
    let outputGradient = problem.randomOutputGradient(seed: 11)
    let expected = Implementation.reference.gradients(of: problem, outputGradient: outputGradient)
    let gradients = Implementation.naiveFloat.gradients(of: problem, outputGradient: outputGradient)
    let difference = gradients.largestDifference(from: expected)
    #expect(difference > 1e-9)
    #expect(difference < problem.gradientRoundingBound(unitRoundoff: 0x1p-24, outputGradient: outputGradient))
  }

  /// The gradient of a key/value head is the sum over the heads of its group, as if each had its own copy.
  @Test(arguments: Implementation.allCases) func groupsAddUp(implementation: Implementation) {
    let grouped = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 6, keyHeads: 2, queryLength: 3, keyLength: 4, headDimension: 5, valueDimension: 3),
      seed: 6)
    var repeated = grouped
    repeated.shape.keyHeads = 6
    repeated.keys = repeatHeads(grouped.keys, headSize: 4 * 5)
    repeated.values = repeatHeads(grouped.values, headSize: 4 * 3)
    let outputGradient = grouped.randomOutputGradient(seed: 6)
    var expected = implementation.gradients(of: repeated, outputGradient: outputGradient)
    expected.keys = sumHeads(expected.keys, headSize: 4 * 5)
    expected.values = sumHeads(expected.values, headSize: 4 * 3)
    let bound = grouped.gradientRoundingBound(
      unitRoundoff: implementation.unitRoundoff, outputGradient: outputGradient)
    let gradients = implementation.gradients(of: grouped, outputGradient: outputGradient)
    #expect(bits(gradients.queries) == bits(expected.queries))
    #expect(gradients.largestDifference(from: expected) <= bound)
  }

  /// The gradient of a broadcast bias is that of the bias written out, summed over the pairs that read an element.
  @Test(arguments: UInt64(1)...30) func broadcastBiasesAddUp(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var problem = Problem.random(seed: seed)
    let pairs = problem.shape.pairs
    let axes = ReferenceOptions.broadcastShape(of: pairs, using: &generator)
    let bias = ReferenceBroadcast(elements: generator.numbers(axes.reduce(1, *)), shape: axes)
    let places = ReferenceBroadcast(elements: Array(bias.elements.indices), shape: axes)
    var placeOfPair: [Int] = []
    for b in 0..<pairs[0] {
      for h in 0..<pairs[1] {
        for i in 0..<pairs[2] {
          for j in 0..<pairs[3] {
            placeOfPair.append(places.element(batch: b, head: h, query: i, key: j))
          }
        }
      }
    }
    problem.options.bias = bias
    var written = problem
    written.options.bias = ReferenceBroadcast(elements: placeOfPair.map { bias.elements[$0] }, shape: pairs)

    let outputGradient = problem.randomOutputGradient(seed: seed)
    for implementation in Implementation.allCases {
      let gradients = implementation.gradients(of: problem, outputGradient: outputGradient)
      let expected = implementation.gradients(of: written, outputGradient: outputGradient)
      var sums = [Double](repeating: 0, count: bias.elements.count)
      for (place, gradient) in zip(placeOfPair, try #require(expected.bias)) {
        sums[place] += gradient
      }
      let bound = problem.gradientRoundingBound(
        unitRoundoff: implementation.unitRoundoff, outputGradient: outputGradient)
      let biasGradient = try #require(gradients.bias)
      #expect(largestDifference(biasGradient, sums) <= bound, "seed \(seed), \(implementation), \(axes)")
      #expect(bits(gradients.queries) == bits(expected.queries), "seed \(seed), \(implementation), \(axes)")
    }
  }

  @Test(arguments: Implementation.allCases) func noQueriesKeysOrBatches(implementation: Implementation) throws {
    for (batch, queryLength, keyLength) in [(0, 3, 3), (2, 0, 3), (2, 3, 0)] {
      var problem = Problem(
        ReferenceShape(
          batch: batch, queryHeads: 2, keyHeads: 1, queryLength: queryLength, keyLength: keyLength, headDimension: 2,
          valueDimension: 5), seed: 1)
      let outputGradient = problem.randomOutputGradient(seed: 1)
      let plain = implementation.gradients(of: problem, outputGradient: outputGradient)
      #expect(plain.bias == nil && plain.sinks == nil)
      problem.options.bias = ReferenceBroadcast(elements: [1], shape: [])
      problem.options.sinks = [1, 2]
      let gradients = implementation.gradients(of: problem, outputGradient: outputGradient)
      #expect(bits(gradients.queries) == bits([Double](repeating: 0, count: problem.queries.count)))
      #expect(bits(gradients.keys) == bits([Double](repeating: 0, count: problem.keys.count)))
      #expect(bits(gradients.values) == bits([Double](repeating: 0, count: problem.values.count)))
      #expect(bits(try #require(gradients.bias)) == bits([0]))
      #expect(bits(try #require(gradients.sinks)) == bits([0, 0]))
    }
  }

  /// Each head three times in a row.
  private func repeatHeads(_ elements: [Double], headSize: Int) -> [Double] {
    stride(from: 0, to: elements.count, by: headSize).flatMap { first in
      (0..<3).flatMap { _ in elements[first..<first + headSize] }
    }
  }

  /// Each run of three heads added up.
  private func sumHeads(_ elements: [Double], headSize: Int) -> [Double] {
    stride(from: 0, to: elements.count, by: 3 * headSize).flatMap { first in
      (first..<first + headSize).map { elements[$0] + elements[$0 + headSize] + elements[$0 + 2 * headSize] }
    }
  }
}
