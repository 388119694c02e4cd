import AttentionReference
import Testing

/// A row that may attend to nothing: output 0, weights 0, log-sum-exp −∞, whatever else there is.
@Suite struct EmptyRowTests {
  static let causes: [(String, ReferenceOptions)] = [
    ("mask", ReferenceOptions(mask: ReferenceBroadcast(elements: [false], shape: []))),
    ("key length", ReferenceOptions(keyLengths: [0])),
    ("causal", ReferenceOptions(causal: true, queryOffsets: [-5])),
    ("window", ReferenceOptions(queryOffsets: [9], windowLeft: 2)),
  ]

  @Test(arguments: causes) func isZero(cause: (String, ReferenceOptions)) throws {
    var problem = Problem(
      ReferenceShape(
        batch: 1, queryHeads: 2, keyHeads: 1, queryLength: 3, keyLength: 4, headDimension: 2, valueDimension: 5),
      seed: 1)
    problem.options = cause.1
    for sinks in [nil, [0.5, 3], [.infinity, .nan]] as [[Double]?] {
      problem.options.sinks = sinks
      for fill in [1.0, .nan, .infinity] {
        problem.keys = problem.keys.map { _ in fill }
        problem.values = problem.values.map { _ in fill }
        let matrices = problem.reference(emittingMatrices: true)
        #expect(matrices.weights == [Double](repeating: 0, count: 24))
        #expect(matrices.scores == [Double](repeating: -.infinity, count: 24))
        for implementation in Implementation.allCases {
          let (output, logSumExp) = implementation(problem)
          #expect(bits(output) == bits([Double](repeating: 0, count: 30)), "\(implementation)")
          #expect(logSumExp == [Double](repeating: -.infinity, count: 6), "\(implementation)")
        }
      }
    }
  }

  /// Only the empty row is 0; scores of −∞ do not make a row empty.
  @Test(arguments: Implementation.allCases) func isDecidedFromTheMask(implementation: Implementation) {
    var problem = Problem(queryLength: 3, keys: [0.5, -0.5], values: [1, 3])
    problem.options.mask = ReferenceBroadcast(elements: [true, true, false, false, true, false], shape: [3, 2])
    problem.options.bias = ReferenceBroadcast(elements: [0, 0, 0, 0, -.infinity, 0], shape: [3, 2])
    let (output, logSumExp) = implementation(problem)
    #expect(output[0] > 1 && output[0] < 2)
    #expect(output[1] == 0 && logSumExp[1] == -.infinity)
    #expect(output[2].isNaN && logSumExp[2].isNaN)
  }

  @Test(arguments: Implementation.allCases) func noKeys(implementation: Implementation) {
    var problem = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 2, keyHeads: 1, queryLength: 3, keyLength: 0, headDimension: 2, valueDimension: 2),
      seed: 1)
    problem.options.sinks = [1, 2]
    let (output, logSumExp) = implementation(problem)
    #expect(bits(output) == bits([Double](repeating: 0, count: 24)))
    #expect(logSumExp == [Double](repeating: -.infinity, count: 12))
  }

  @Test(arguments: Implementation.allCases) func noQueriesAndNoBatches(implementation: Implementation) {
    for (batch, queryLength) in [(0, 3), (2, 0), (0, 0)] {
      let shape = ReferenceShape(
        batch: batch, queryHeads: 2, keyHeads: 1, queryLength: queryLength, keyLength: 3, headDimension: 2,
        valueDimension: 2)
      let (output, logSumExp) = implementation(Problem(shape, seed: 1))
      #expect(output.isEmpty && logSumExp.isEmpty)
    }
  }
}
