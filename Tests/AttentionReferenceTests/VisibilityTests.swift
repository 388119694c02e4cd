import AttentionReference
import Testing

/// Which keys each query sees, written out: a row a query, x where it may attend.
@Suite struct VisibilityTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: ReferenceOptions
    let rows: [String]
  }

  static let examples = [
    Example(testDescription: "all", options: ReferenceOptions(), rows: ["xxxx", "xxxx", "xxxx"]),
    Example(
      testDescription: "causal, top left", options: ReferenceOptions(causal: true), rows: ["x...", "xx..", "xxx."]),
    Example(
      testDescription: "causal, bottom right, wide", options: ReferenceOptions(causal: true, queryOffsets: [1]),
      rows: ["xx..", "xxx.", "xxxx"]),
    Example(
      testDescription: "causal, bottom right, tall", options: ReferenceOptions(causal: true, queryOffsets: [-2]),
      rows: ["..", "..", "x.", "xx"]),
    Example(
      testDescription: "window", options: ReferenceOptions(windowLeft: 1, windowRight: 2),
      rows: ["xxx..", "xxxx.", ".xxxx", "..xxx", "...xx"]),
    Example(
      testDescription: "window of one", options: ReferenceOptions(windowLeft: 0, windowRight: 0),
      rows: ["x..", ".x.", "..x"]),
    Example(
      testDescription: "left side with offset", options: ReferenceOptions(queryOffsets: [2], windowLeft: 1),
      rows: [".xxx", "..xx", "...x", "...."]),
    Example(
      testDescription: "right side with offset", options: ReferenceOptions(queryOffsets: [-1], windowRight: 1),
      rows: ["x..", "xx.", "xxx"]),
    Example(
      testDescription: "widest window", options: ReferenceOptions(windowLeft: .max, windowRight: .max),
      rows: ["xx", "xx"]),
    Example(
      testDescription: "farthest offsets", options: ReferenceOptions(queryOffsets: [1 << 62], windowLeft: .max),
      rows: ["xx", "xx"]),
    Example(
      testDescription: "farthest offsets, out of reach",
      options: ReferenceOptions(causal: true, queryOffsets: [-(1 << 62)]), rows: ["..", ".."]),
    Example(testDescription: "key lengths", options: ReferenceOptions(keyLengths: [2]), rows: ["xx..", "xx.."]),
    Example(
      testDescription: "causal and key lengths", options: ReferenceOptions(causal: true, keyLengths: [2]),
      rows: ["x...", "xx..", "xx..", "xx.."]),
    Example(
      testDescription: "mask and causal",
      options: ReferenceOptions(
        causal: true, mask: ReferenceBroadcast(elements: [false, true, true], shape: [3])),
      rows: ["...", ".x.", ".xx"]),
  ]

  @Test(arguments: examples) func visiblePairs(example: Example) throws {
    let expected = example.rows.map { Array($0) }
    let (Sq, Sk) = (expected.count, expected[0].count)
    var problem = Problem(
      ReferenceShape(
        batch: 1, queryHeads: 1, keyHeads: 1, queryLength: Sq, keyLength: Sk, headDimension: 2, valueDimension: Sk),
      seed: 3)
    // Values of the identity matrix: column j of the output is the weight of key j.
    problem.values = (0..<Sk * Sk).map { $0 / Sk == $0 % Sk ? 1 : 0 }
    problem.options = example.options
    let result = problem.reference(emittingMatrices: true)
    let scores = try #require(result.scores)
    let naive = Implementation.naiveDouble(problem).output
    for i in 0..<Sq {
      for j in 0..<Sk {
        let visible = expected[i][j] == "x"
        #expect((scores[i * Sk + j] > -.infinity) == visible, "query \(i), key \(j)")
        #expect((result.output[i * Sk + j] > 0) == visible, "query \(i), key \(j)")
        #expect((naive[i * Sk + j] > 0) == visible, "query \(i), key \(j)")
      }
    }
  }

  @Test func offsetsAndLengthsOfEachBatch() throws {
    var problem = Problem(
      ReferenceShape(
        batch: 3, queryHeads: 2, keyHeads: 1, queryLength: 2, keyLength: 3, headDimension: 2, valueDimension: 1),
      seed: 4)
    problem.options = ReferenceOptions(causal: true, queryOffsets: [0, 1, -1], keyLengths: [3, 1, 3])
    let scores = try #require(problem.reference(emittingMatrices: true).scores)
    let batches = ["x..xx.", "x..x..", "...x.."]
    let expected = batches.flatMap { Array($0 + $0) }
    #expect(
      scores.map { $0 > -.infinity ? "x" : "." } == expected.map { Character(extendedGraphemeClusterLiteral: $0) })
  }
}
