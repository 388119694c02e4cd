import Attention
import AttentionReference
import Testing

@Suite struct WindowTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let mask: AttentionMask
    let options: ReferenceOptions
    /// A row a query, x where it attends.
    let rows: [String]
  }

  static let examples = [
    Example(
      testDescription: "both sides", mask: .window(left: 1, right: 2),
      options: ReferenceOptions(windowLeft: 1, windowRight: 2),
      rows: ["xxx..", "xxxx.", ".xxxx", "..xxx", "...xx"]),
    Example(
      testDescription: "the diagonal", mask: .window(left: 0, right: 0),
      options: ReferenceOptions(windowLeft: 0, windowRight: 0), rows: ["x..", ".x.", "..x"]),
    Example(
      testDescription: "left alone", mask: .window(left: 1, right: nil), options: ReferenceOptions(windowLeft: 1),
      rows: ["xxxx", "xxxx", ".xxx", "..xx"]),
    Example(
      testDescription: "right alone", mask: .window(left: nil, right: 1), options: ReferenceOptions(windowRight: 1),
      rows: ["xx..", "xxx.", "xxxx", "xxxx"]),
    Example(
      testDescription: "no side", mask: .window(left: nil, right: nil), options: ReferenceOptions(),
      rows: ["xxx", "xxx"]),
    Example(
      testDescription: "the widest", mask: .window(left: .max, right: .max),
      options: ReferenceOptions(windowLeft: .max, windowRight: .max), rows: ["xxx", "xxx"]),
    Example(
      testDescription: "with an offset", mask: .window(left: 1, right: 0) & .aligned(queryOffset: 2),
      options: ReferenceOptions(queryOffsets: [2], windowLeft: 1, windowRight: 0), rows: [".xx..", "..xx.", "...xx"]),
    Example(
      testDescription: "bottom right", mask: .window(left: 1, right: 0) & .aligned(.bottomRight),
      options: ReferenceOptions(queryOffsets: [1], windowLeft: 1, windowRight: 0), rows: ["xx..", ".xx.", "..xx"]),
    Example(
      testDescription: "causal", mask: .causal & .window(left: 1, right: 2),
      options: ReferenceOptions(causal: true, windowLeft: 1, windowRight: 2), rows: ["x...", "xx..", ".xx.", "..xx"]),
    Example(
      testDescription: "out of reach", mask: .window(left: 1, right: 1) & .aligned(queryOffset: 9),
      options: ReferenceOptions(queryOffsets: [9], windowLeft: 1, windowRight: 1), rows: ["...", "..."]),
  ]

  @Test("Line 8: a window is inclusive around i + offset", arguments: examples)
  func inclusive(example: Example) throws {
    let drawn = example.rows.flatMap { $0.map { $0 == "x" } }
    var problem = Problem(queries: example.rows.count, keys: example.rows[0].count, dimension: 2)
    problem.readOutWeights()
    problem.options = example.options
    for kernel in Kernel.all {
      let weights = try problem.fused(
        as: kernel.type, instructionSet: kernel.instructionSet, mask: example.mask
      ).output
      #expect(weights.map { $0 > 0 } == drawn, "\(kernel)")
    }
    try expectAgreement(problem, mask: example.mask)
  }

  @Test("Line 8: windows over several tiles", arguments: [(0, 0), (1, 130), (63, 1), (64, 64), (128, 0), (200, 200)])
  func severalTiles(left: Int, right: Int) throws {
    let options = ReferenceOptions(queryOffsets: [17], windowLeft: left, windowRight: right)
    try expectAgreement(Problem(queries: 100, keys: 290, dimension: 3, options: options))
  }
}
