import Attention
import AttentionReference
import Testing

@Suite struct EmptyRowTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: ReferenceOptions
    /// Of 5 queries: those that may attend to nothing.
    let emptyQueries: [Int]
  }

  static let examples = [
    Example(
      testDescription: "mask of queries",
      options: ReferenceOptions(
        mask: ReferenceBroadcast(elements: [true, false, true, false, true], shape: [5, 1])), emptyQueries: [1, 3]),
    Example(
      testDescription: "mask of everything",
      options: ReferenceOptions(mask: ReferenceBroadcast(elements: [false], shape: [])), emptyQueries: [0, 1, 2, 3, 4]),
    Example(
      testDescription: "causal", options: ReferenceOptions(causal: true, queryOffsets: [-2]), emptyQueries: [0, 1]),
    Example(testDescription: "no keys", options: ReferenceOptions(keyLengths: [0]), emptyQueries: [0, 1, 2, 3, 4]),
    Example(
      testDescription: "window", options: ReferenceOptions(queryOffsets: [126], windowLeft: 0),
      emptyQueries: [4]),
    Example(
      testDescription: "mask and causal together",
      options: ReferenceOptions(
        causal: true, queryOffsets: [0],
        mask: ReferenceBroadcast(elements: [false, false] + [Bool](repeating: true, count: 128), shape: [130])),
      emptyQueries: [0, 1]),
    Example(
      testDescription: "with a sink",
      options: ReferenceOptions(causal: true, queryOffsets: [-2], sinks: [1]), emptyQueries: [0, 1]),
    Example(
      testDescription: "with bias, cap, ALiBi and dropout",
      options: ReferenceOptions(
        softcap: 2, causal: true, queryOffsets: [-2], bias: ReferenceBroadcast(elements: [1], shape: []),
        alibiSlopes: [0.5], dropoutProbability: 0.01), emptyQueries: [0, 1]),
  ]

  @Test("Line 3: a row that may attend to nothing", arguments: examples, Kernel.all)
  func zeroAndMinusInfinity(example: Example, kernel: Kernel) throws {
    let problem = Problem(queries: 5, keys: 130, dimension: 4, options: example.options)
    let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    for query in 0..<5 {
      let isEmpty = example.emptyQueries.contains(query)
      let rows = query * 4..<(query + 1) * 4
      // Bits: +0, not −0.
      #expect(fused.bits.output[rows].allSatisfy { $0 == 0 } == isEmpty)
      #expect((fused.logSumExp[query] == -.infinity) == isEmpty)
    }
    try expectAgreement(problem, as: [kernel.type])
  }

  @Test("Line 3: it is the mask that decides, not the scores")
  func scoresDoNotDecide() throws {
    // Query 0 may attend to keys of score −∞: by the formula that is NaN. Query 1 may attend to nothing.
    var problem = Problem(queries: 2, keys: 3, dimension: 2)
    problem.options.bias = ReferenceBroadcast(elements: [-.infinity], shape: [])
    problem.options.mask = ReferenceBroadcast(elements: [true, false], shape: [2, 1])
    for kernel in Kernel.all {
      let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      #expect(fused.output.map(\.isNaN) == [true, true, false, false])
      #expect(fused.output[2...].allSatisfy { $0 == 0 })
      #expect(fused.logSumExp[0].isNaN && fused.logSumExp[1] == -.infinity)
    }
  }

  @Test("Line 3: the weights of such a row are 0")
  func weights() {
    let q = Tensor(repeating: 1, shape: [1, 1, 2, 4])
    let k = Tensor(repeating: 1, shape: [1, 1, 5, 4])
    let weights = attentionWeights(queries: q, keys: k, mask: .causal(queryOffset: -1))
    #expect(weights == Tensor([0, 0, 0, 0, 0, 1, 0, 0, 0, 0], shape: [1, 1, 2, 5]))
  }
}
