import AttentionReference
import Foundation
import Testing

/// What must hold of the formula whatever the inputs.
@Suite struct SoftmaxPropertyTests {
  @Test(arguments: UInt64(1)...60) func weightsAreTheSoftmaxOfTheScores(seed: UInt64) throws {
    let problem = Problem.random(seed: seed)
    let result = problem.reference(emittingMatrices: true)
    let weights = try #require(result.weights)
    let scores = try #require(result.scores)
    let Sk = problem.shape.keyLength
    let bound = problem.roundingBound(unitRoundoff: 0x1p-53)
    #expect(result.logSumExp.count * Sk == weights.count && weights.count == scores.count)
    #expect(!weights.isEmpty)
    for (row, lse) in result.logSumExp.enumerated() {
      let pairs = row * Sk..<(row + 1) * Sk
      let head = row / problem.shape.queryLength % problem.shape.queryHeads
      if lse == -.infinity {
        #expect(weights[pairs].allSatisfy { $0 == 0 } && scores[pairs].allSatisfy { $0 == -.infinity })
        continue
      }
      let sinkWeight = problem.options.sinks.map { exp($0[head] - lse) } ?? 0
      #expect((weights[pairs].reduce(0, +) + sinkWeight - 1).magnitude <= bound, "seed \(seed), row \(row)")
      #expect(
        largestDifference(Array(weights[pairs]), scores[pairs].map { exp($0 - lse) }) <= bound,
        "seed \(seed), row \(row)")
      #expect(weights[pairs].allSatisfy { $0 >= 0 && $0 <= 1 })
    }
  }

  /// Sinks take part of the weight: the sums are below 1 by more than rounding.
  @Test func sinksTakeWeight() throws {
    var problem = Problem(keys: [0.5, -0.5], values: [1, 2])
    problem.options.sinks = [0]
    let weights = try #require(problem.reference(emittingMatrices: true).weights)
    let denominator = exp(0.5) + exp(-0.5) + 1
    #expect((weights[0] - exp(0.5) / denominator).magnitude < 1e-15)
    #expect((weights[1] - exp(-0.5) / denominator).magnitude < 1e-15)
    #expect(weights[0] + weights[1] < 0.75)
  }

  @Test(arguments: UInt64(1)...30) func permutingKeysPermutesWeights(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var problem = Problem(.random(using: &generator), using: &generator)
    let shape = problem.shape
    let mask = (0..<shape.pairs.reduce(1, *)).map { _ in generator.coin(0.8) }
    problem.options.mask = ReferenceBroadcast(elements: mask, shape: shape.pairs)
    problem.options.sinks = generator.numbers(shape.queryHeads)
    let order = (0..<shape.keyLength).shuffled(using: &generator)

    var permuted = problem
    permuted.keys = permute(problem.keys, order, rowSize: shape.headDimension)
    permuted.values = permute(problem.values, order, rowSize: shape.valueDimension)
    permuted.options.mask = ReferenceBroadcast(elements: permute(mask, order, rowSize: 1), shape: shape.pairs)

    let expected = problem.reference(emittingMatrices: true)
    let result = permuted.reference(emittingMatrices: true)
    let bound = problem.roundingBound(unitRoundoff: 0x1p-53)
    let expectedWeights = permute(try #require(expected.weights), order, rowSize: 1)
    #expect(!expectedWeights.isEmpty)
    #expect(largestDifference(try #require(result.weights), expectedWeights) <= bound, "seed \(seed)")
    #expect(largestDifference(result.output, expected.output) <= bound, "seed \(seed)")
    #expect(largestDifference(result.logSumExp, expected.logSumExp) <= bound, "seed \(seed)")
  }

  /// A constant added to every score and sink moves the log-sum-exp by as much, and nothing else.
  @Test(arguments: [700.0, -700, 1e4, -1e4]) func shiftedScores(shift: Double) {
    var problem = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 2, keyHeads: 2, queryLength: 3, keyLength: 5, headDimension: 4, valueDimension: 3),
      seed: 7)
    problem.options.sinks = [0.25, -0.5]
    let expected = problem.reference()
    problem.options.sinks = [0.25 + shift, -0.5 + shift]
    problem.options.bias = ReferenceBroadcast(elements: [shift], shape: [])
    let result = problem.reference()
    let bound = problem.roundingBound(unitRoundoff: 0x1p-53)
    #expect(bound < 1e-9)
    #expect(largestDifference(result.output, expected.output) <= bound)
    #expect(largestDifference(result.logSumExp, expected.logSumExp.map { $0 + shift }) <= bound)
  }

  /// Reorders each run of `order.count` rows.
  private func permute<Element>(_ elements: [Element], _ order: [Int], rowSize: Int) -> [Element] {
    var permuted: [Element] = []
    for run in stride(from: 0, to: elements.count, by: order.count * rowSize) {
      for row in order {
        let first = run + row * rowSize
        permuted += elements[first..<first + rowSize]
      }
    }
    return permuted
  }
}
