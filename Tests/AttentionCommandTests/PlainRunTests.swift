import AttentionReference
import Safetensors
import Testing

@Suite struct PlainRunTests {
  @Test(arguments: SafetensorsType.attentionTypes, Problem.Layout.allCases)
  func everyTypeInEveryLayout(type: SafetensorsType, layout: Problem.Layout) throws {
    var problem = Problem(type: type)
    problem.layout = layout
    try problem.expectOracleResults(optionsMatter: false)
  }

  /// The same numbers in both layouts: the same results, in each file's order.
  @Test func layoutsAgreeToTheBit() throws {
    var problem = Problem(seed: 7)
    let first = try ResultFile(bytes: try problem.run())
    problem.layout = .bshd
    let second = try ResultFile(bytes: try problem.run())
    #expect(try second.numbers("output") == problem.inLayout(try first.numbers("output")))
    #expect(try second.bytes("lse") == first.bytes("lse"))
  }

  /// `--layout` has a default and may name it.
  @Test func theDefaultLayoutIsHeadsFirst() throws {
    let problem = Problem()
    #expect(try problem.run() == problem.run(["--layout", "bhsd"]))
  }

  @Test(arguments: [
    ReferenceShape(
      batch: 1, queryHeads: 1, keyHeads: 1, queryLength: 1, keyLength: 1, headDimension: 1, valueDimension: 1),
    ReferenceShape(
      batch: 3, queryHeads: 6, keyHeads: 1, queryLength: 2, keyLength: 9, headDimension: 17, valueDimension: 1),
    ReferenceShape(
      batch: 1, queryHeads: 2, keyHeads: 2, queryLength: 53, keyLength: 131, headDimension: 9, valueDimension: 20),
  ])
  func shapes(shape: ReferenceShape) throws {
    try Problem(shape, seed: 3).expectOracleResults(optionsMatter: false)
    try Problem(shape, type: .f64, seed: 4).expectOracleResults(optionsMatter: false)
  }

  /// B = 0 and Sq = 0 give empty arrays, Sk = 0 rows that attend to nothing.
  @Test(arguments: [(0, 5, 7), (2, 0, 7), (2, 5, 0), (0, 0, 0), (2, 0, 0)], Problem.Layout.allCases)
  func emptyAxes(sizes: (batch: Int, queryLength: Int, keyLength: Int), layout: Problem.Layout) throws {
    let shape = ReferenceShape(
      batch: sizes.batch, queryHeads: 2, keyHeads: 1, queryLength: sizes.queryLength, keyLength: sizes.keyLength,
      headDimension: 4, valueDimension: 3)
    var problem = Problem(shape)
    problem.layout = layout
    try problem.expectOracleResults(optionsMatter: false)
    let pairs = [sizes.batch, sizes.keyLength]
    problem.add("key_mask", [Int](repeating: 1, count: pairs[0] * pairs[1]), shape: pairs, as: .bool)
    problem.add("key_lengths", [Int](repeating: 0, count: sizes.batch), shape: [sizes.batch], as: .i64)
    problem.options.keyLengths = [Int](repeating: 0, count: sizes.batch)
    try problem.expectOracleResults(optionsMatter: false)
  }

  /// Only what is asked for: no matrices without `--emit`, one for each name in it.
  @Test(arguments: [
    ([], []), (["--emit", "weights"], ["weights"]), (["--emit", "scores"], ["scores"]),
    (["--emit", "scores,weights"], ["weights", "scores"]), (["--emit", "weights,weights"], ["weights"]),
  ])
  func emittedNames(arguments: [String], names: [String]) throws {
    for type in SafetensorsType.attentionTypes {
      let problem = Problem(type: type)
      for reference in [[], ["--reference"]] {
        problem.expectContract(try ResultFile(bytes: try problem.run(arguments + reference)), matrices: names)
      }
    }
  }

  /// Emitting matrices changes nothing else.
  @Test func emittingChangesNoBits() throws {
    let problem = Problem(seed: 11)
    let (plain, emitting) = (try problem.run(), try problem.run(["--emit", "weights,scores"]))
    for name in ["output", "lse"] {
      #expect(try ResultFile(bytes: plain).bytes(name) == ResultFile(bytes: emitting).bytes(name))
    }
  }

  /// Tensors that the contract does not name are not looked at, whatever their type.
  @Test func unknownTensorsAreIgnored() throws {
    var problem = Problem()
    let plain = try problem.run()
    problem.add("output", [1, 2], shape: [2], as: .f64)
    problem.add("Query", [1, 2], shape: [2], as: .u8)
    problem.add("", [1], shape: [], as: .i64)
    #expect(try problem.run() == plain)
  }
}
