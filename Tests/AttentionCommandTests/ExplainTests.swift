import Foundation
import Testing

/// What `attention explain --json` prints.
struct Explanation: Decodable {
  var queries, keys, values: [Int]
  var type: String
  var instructionSet, kernel: String
  var threads: Int
  var registerTile, scoreTile: [Int]
  var itemRows, items: Int
  var fullTiles, boundaryTiles, skippedTiles: Int
  var visiblePairs, flops, executedFlops, bytes, expectedShare: Double
  var scratchBytes: Int
}

func explanation(_ arguments: [String], environment: [String: String] = [:]) throws -> Explanation {
  let outcome = try attention(["explain", "--json"] + arguments, environment: environment)
  #expect(outcome.ending == .exit(0), "\(outcome.error)")
  #expect(outcome.error == "")
  return try JSONDecoder().decode(Explanation.self, from: Data(outcome.output))
}

@Suite struct ExplainTests {
  /// Causal over 1,000 × 1,000: 1,000·1,001/2 pairs a head; 2·(D + Dv) operations a pair.
  @Test func causalSquare() throws {
    let plan = try explanation(["--queries", "1000", "--causal", "top-left", "--threads", "2"])
    #expect(plan.queries == [1, 8, 1000, 64])
    #expect(plan.keys == [1, 8, 1000, 64])
    #expect(plan.values == [1, 8, 1000, 64])
    #expect(plan.visiblePairs == 8 * 500_500)
    #expect(plan.flops == 2 * 128 * 8 * 500_500)
    #expect(plan.executedFlops >= plan.flops)
    #expect(plan.expectedShare > 0 && plan.expectedShare < plan.flops / plan.executedFlops)
    // Queries, keys, values and output, four bytes a number.
    #expect(plan.bytes == 4 * 8000 * 64 * 4)
    #expect(plan.threads == 2)
    expectTiles(plan)
    #expect(plan.skippedTiles > 0 && plan.boundaryTiles > 0 && plan.fullTiles > 0)
  }

  /// Every tile of the grid is of one of three kinds.
  private func expectTiles(_ plan: Explanation, sourceLocation: SourceLocation = #_sourceLocation) {
    let keyTiles = (plan.keys[2] + plan.scoreTile[1] - 1) / plan.scoreTile[1]
    let tiles = plan.fullTiles + plan.boundaryTiles + plan.skippedTiles
    #expect(tiles.isMultiple(of: keyTiles), sourceLocation: sourceLocation)
    #expect(
      tiles / keyTiles >= plan.queries[0] * plan.queries[1] * plan.queries[2] / plan.scoreTile[0],
      sourceLocation: sourceLocation)
    // The pairs of full and boundary tiles hold all visible ones.
    let pairs = Double((plan.fullTiles + plan.boundaryTiles) * plan.scoreTile[0] * plan.scoreTile[1])
    #expect(plan.visiblePairs <= pairs, sourceLocation: sourceLocation)
  }

  @Test func wholeRectangle() throws {
    let plan = try explanation([
      "--batch", "3", "--heads", "6", "--kv-heads", "2", "--queries", "50", "--keys", "70", "--dimension", "16",
      "--value-dimension", "8", "--type", "f64",
    ])
    #expect(plan.queries == [3, 6, 50, 16])
    #expect(plan.keys == [3, 2, 70, 16])
    #expect(plan.values == [3, 2, 70, 8])
    #expect(plan.visiblePairs == 3 * 6 * 50 * 70)
    #expect(plan.flops == 2 * 24 * 3 * 6 * 50 * 70)
    #expect(plan.skippedTiles == 0)
    #expect(plan.bytes == 8 * 24 * (900 + 420))
    #expect(plan.type == "float64")
    #expect(plan.kernel.hasSuffix("-f64"))
    #expect(plan.scratchBytes > 0)
    expectTiles(plan)
  }

  @Test(arguments: [("f32", "float32", 4.0), ("f64", "float64", 8), ("f16", "float16", 2), ("bf16", "bfloat16", 2)])
  func types(argument: String, name: String, bytes: Double) throws {
    let plan = try explanation(["--queries", "32", "--heads", "1", "--type", argument])
    #expect(plan.type == name)
    #expect(plan.bytes == bytes * 4 * 32 * 64)
    #expect(plan.kernel.hasSuffix(argument == "f64" ? "-f64" : "-f32"))
  }

  /// 20 queries, 30 keys. Window (2, 3) around i + offset, causal cut at i + offset.
  @Test(
    arguments: [
      ([], 600.0), (["--causal", "bottom-right"], 20 * 11 + 190), (["--causal", "top-left"], 210),
      (["--causal", "-5"], 120), (["--causal", "-20"], 0), (["--window", "0,0"], 20),
      (["--window", "2,3"], 20 * 6 - 3),
      (["--window", "2,", "--causal", "10"], 60),
    ] as [([String], Double)])
  func visiblePairs(arguments: [String], pairs: Double) throws {
    let plan = try explanation(["--queries", "20", "--keys", "30", "--heads", "1"] + arguments)
    #expect(plan.visiblePairs == pairs)
    #expect(plan.flops == 2 * 128 * pairs)
  }

  @Test func empty() throws {
    for arguments in [["--queries", "0"], ["--queries", "9", "--keys", "0"]] {
      let plan = try explanation(arguments)
      #expect(plan.visiblePairs == 0 && plan.flops == 0 && plan.executedFlops == 0 && plan.expectedShare == 0)
      #expect(try attention(["explain"] + arguments).ending == .exit(0))
    }
  }

  /// The shape, type, lengths and layout of a file.
  @Test func ofAFile() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var problem = Problem(type: .bf16)
    problem.layout = .bshd
    problem.add("key_lengths", [7, 3], shape: [2], as: .u8)
    try problem.write(to: input)
    let plan = try explanation([input, "--layout", "bshd"])
    #expect(plan.queries == [2, 4, 5, 6])
    #expect(plan.keys == [2, 2, 7, 6])
    #expect(plan.values == [2, 2, 7, 3])
    #expect(plan.type == "bfloat16")
    #expect(plan.visiblePairs == 4 * 5 * 7 + 4 * 5 * 3)
  }

  @Test func text() throws {
    let outcome = try attention("explain", "--queries", "1000", "--causal", "top-left", "--threads", "1")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    for part in ["kernel", "[1, 8, 1000, 64]", "1 thread\n", "float32", "skipped", "1.03 GFLOP", "7.81 MiB"] {
      #expect(outcome.text.contains(part), "\(part) is not in\n\(outcome.text)")
    }
    #expect(outcome.text.hasSuffix("\n"))
  }
}
