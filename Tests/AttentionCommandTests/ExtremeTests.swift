import AttentionReference
import Safetensors
import Testing

/// Numbers at the edge of what can be said: an answer or one line, never a crash, never an endless loop.
@Suite struct ExtremeTests {
  /// Offsets so far out that every key is visible, or none: fused and oracle alike.
  @Test(
    arguments: [Int.max, .max - 1, 1 << 62, (1 << 62) + 1, -1 << 62, -(1 << 62) - 1, .min + 1, .min], [false, true])
  func causalOffsets(offset: Int, inTheFile: Bool) throws {
    var problem = Problem()
    problem.arguments = ["--causal", inTheFile ? "top-left" : "\(offset)"]
    if inTheFile { problem.add("query_offsets", [offset, offset], shape: [2], as: .i64) }
    // The same visibility, within what the oracle takes.
    problem.options = ReferenceOptions(causal: true, queryOffsets: [offset > 0 ? 1000 : -1000])
    try problem.expectOracleResults(optionsMatter: offset < 0)
  }

  @Test(arguments: ["\(Int.max),\(Int.max)", "\(Int.max),", ",\(Int.max)", "\(1 << 62),\(1 << 62)"])
  func windows(argument: String) throws {
    var problem = Problem()
    problem.arguments = ["--window", argument]
    try problem.expectOracleResults(optionsMatter: false)
    problem.arguments += ["--causal", "\(-(1 << 62))"]
    problem.options = ReferenceOptions(causal: true, queryOffsets: [-1000])
    try problem.expectOracleResults()
  }

  @Test func compareTakesCausalOffsets() throws {
    for offset in [Int.max, .min] {
      let outcome = try attention(
        "compare", "--queries", "8", "--heads", "1", "--repetitions", "1", "--causal", "\(offset)")
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
    }
  }

  /// No numbers at all, but a great many empty rows to say so about: at once, or refused.
  @Test(
    arguments: [
      ([1 << 31 - 1, 1, 0, 4], [1 << 31 - 1, 1, 0, 4], [1 << 31 - 1, 1, 0, 4]),
      ([1 << 40, 1, 0, 4], [1 << 40, 1, 0, 4], [1 << 40, 1, 0, 4]),
      ([0, 1 << 30, 1 << 30, 1], [0, 1, 1 << 30, 1], [0, 1, 1 << 30, 1]),
      ([0, 1 << 30, 1 << 30, 1], [0, 1, 1, 1], [0, 1, 1, 1 << 30]),
    ], [[], ["--reference"], ["--emit", "weights,scores"], ["--emit", "weights,scores", "--reference"]])
  func hugeEmptyShapes(shapes: ([Int], [Int], [Int]), arguments: [String]) throws {
    for padded in [false, true] {
      let directory = try TemporaryDirectory()
      let input = directory.file("in.safetensors")
      var writer = SafetensorsWriter()
      try writer.add("query", type: .f32, shape: shapes.0, bytes: [])
      try writer.add("key", type: .f32, shape: shapes.1, bytes: [])
      try writer.add("value", type: .f32, shape: shapes.2, bytes: [])
      if padded { try writer.add("key_mask", type: .u8, shape: [shapes.1[0], shapes.1[2]], bytes: []) }
      try writer.write(to: input)
      let outcome = try attention(
        ["run", input, "-o", directory.file("out")] + arguments, timeout: .seconds(5))
      if outcome.ending == .exit(0) {
        expectSilentSuccess(outcome)
        let description = try ResultFile(path: directory.file("out")).descriptions["output"]
        #expect(description?.shape == [shapes.0[0], shapes.0[1], shapes.0[2], shapes.2[3]])
      } else {
        // The shapes are the input's; the place of the output is not at fault.
        expectFailure(outcome, status: 65, naming: [input])
        #expect(try directory.contents == ["in.safetensors"])
      }
    }
  }

  /// The plan of a shape costs no more than looking at its tiles, and shapes that overflow are refused in one line.
  @Test(arguments: [
    ["explain", "--batch", "2147483647", "--heads", "2147483647", "--queries", "2147483647"],
    ["explain", "--batch", "2147483647", "--heads", "2147483647", "--queries", "0"],
    ["explain", "--queries", "2147483647", "--heads", "1"],
    ["compare", "--batch", "2147483647", "--heads", "2147483647", "--queries", "2147483647"],
    ["compare", "--queries", "2147483647", "--heads", "1", "--dimension", "2147483647"],
    ["compare", "--queries", "8", "--heads", "1", "--dimension", "2147483647"],
  ])
  func hugeShapes(arguments: [String]) throws {
    let outcome = try attention(arguments, timeout: .seconds(5))
    if outcome.ending != .exit(0) { expectFailure(outcome, status: 64, naming: []) }
  }

  /// Scores that the type computed in cannot hold: the comparison with the oracle has no number to show, and says so.
  @Test(arguments: [[], ["--json"]])
  func compareOfOverflow(arguments: [String]) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var problem = Problem()
    problem.queries = problem.queries.map { Double(Float($0 * 3e38)) }
    problem.keys = problem.keys.map { Double(Float($0 * 3e38)) }
    try problem.write(to: input)
    let outcome = try attention(["compare", input, "--repetitions", "1"] + arguments)
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    #expect(outcome.error == "")
  }
}
