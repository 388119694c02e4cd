import AttentionReference
import Testing

/// The textbook code and the oracle have no loop in common, and agree.
@Suite struct NaiveAttentionTests {
  static let seeds = UInt64(1)...200

  @Test(arguments: seeds) func agreesWithOracle(seed: UInt64) {
    let problem = Problem.random(seed: seed)
    let expected = problem.reference()
    for implementation in [Implementation.naiveDouble, .naiveFloat] {
      let bound = problem.roundingBound(unitRoundoff: implementation.unitRoundoff)
      let (output, logSumExp) = implementation(problem)
      #expect(largestDifference(output, expected.output) <= bound, "seed \(seed), \(implementation), \(problem.shape)")
      #expect(
        largestDifference(logSumExp, expected.logSumExp) <= bound, "seed \(seed), \(implementation), \(problem.shape)")
    }
  }

  /// The random problems above use every option, alone and beside others, and mostly have something to say.
  @Test func randomProblemsCoverEveryOption() {
    var count: [String: Int] = [:]
    var nonzero = 0
    for seed in Self.seeds {
      let problem = Problem.random(seed: seed)
      for name in problem.options.namesInUse {
        count[name, default: 0] += 1
      }
      nonzero += problem.reference().output.contains { $0 != 0 } ? 1 : 0
    }
    #expect(count.count == 13)
    #expect(count.values.allSatisfy { $0 >= 30 }, "\(count)")
    #expect(nonzero >= 100)
  }

  /// Float is really computed in Float: the error is there, and it is small.
  @Test func floatRoundsLikeFloat() {
    let problem = Problem(
      ReferenceShape(
        batch: 1, queryHeads: 2, keyHeads: 1, queryLength: 20, keyLength: 30, headDimension: 32, valueDimension: 16),
      seed: 11)
    let expected = problem.reference()
    let difference = largestDifference(Implementation.naiveFloat(problem).output, expected.output)
    #expect(difference > 1e-9)
    #expect(difference < problem.roundingBound(unitRoundoff: 0x1p-24))
  }
}
