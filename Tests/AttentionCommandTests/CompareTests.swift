import AttentionReference
import Foundation
import Safetensors
import Testing

/// What `attention compare --json` prints.
private struct Report: Decodable {
  var queries, keys: [Int]
  var instructionSet: String
  var threads: Int
  var fusedSeconds, naiveSeconds: Double
  var fusedBytes, naiveBytes: Int
  var fusedError, naiveError: Double
  var recordedError: Double?
}

@Suite struct CompareTests {
  private func report(_ arguments: [String], environment: [String: String] = [:]) throws -> Report {
    let outcome = try attention(["compare", "--json", "--repetitions", "2"] + arguments, environment: environment)
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    #expect(outcome.error == "")
    return try JSONDecoder().decode(Report.self, from: Data(outcome.output))
  }

  /// Random numbers in −1...1 of D = 8 and Sk = 40: as in ``Tolerance``, with A = √8 and V = 1.
  @Test func ofAShape() throws {
    for name in AttentionExecutable.instructionSets {
      let report = try report(
        [
          "--heads", "2", "--kv-heads", "1", "--queries", "30", "--keys", "40", "--dimension", "8", "--causal",
          "bottom-right", "--threads", "1",
        ], environment: ["ATTENTION_ISA": name])
      #expect(report.queries == [1, 2, 30, 8])
      #expect(report.keys == [1, 1, 40, 8])
      #expect(report.instructionSet == name)
      #expect(report.threads == 1)
      #expect(report.fusedSeconds > 0 && report.naiveSeconds > 0)
      #expect(report.fusedBytes >= 0 && report.naiveBytes >= 0)
      let bound = (2 * (8 + 8) * 8.0.squareRoot() + 40 + 8) * 0x1p-24
      #expect(report.naiveError > 0 && report.naiveError <= bound)
      #expect(report.fusedError > 0 && report.fusedError <= 2 * report.naiveError + bound)
      #expect(report.recordedError == nil)
    }
  }

  /// A file of Double is computed in Double, others in Float.
  @Test(arguments: SafetensorsType.attentionTypes, Problem.Layout.allCases)
  func ofAFile(type: SafetensorsType, layout: Problem.Layout) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var problem = Problem.withEverything(type: type)
    problem.layout = layout
    let oracle = problem.reference()
    let tolerance = Tolerance(problem, oracle: oracle)
    let shape = problem.shape
    let (B, H, Sq, Dv) = (shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension)
    let outputShape = layout == .bhsd ? [B, H, Sq, Dv] : [B, Sq, H, Dv]
    let arguments = [input, "--layout", layout.rawValue] + problem.arguments

    try problem.write(to: input)
    let without = try report(arguments)
    #expect(without.queries == [2, 4, 5, 6])
    #expect(without.recordedError == nil)
    #expect(without.fusedError <= tolerance.output)
    #expect(without.naiveError <= tolerance.output)
    #expect(without.fusedError > 0 && (type == .f64) == (without.fusedError < 1e-12))

    problem.add("output", problem.inLayout(oracle.output), shape: outputShape, as: .f64)
    try problem.write(to: input)
    let recorded = try report(arguments)
    #expect(recorded.recordedError == recorded.fusedError)

    // A recorded output that is wrong in one element shows by how much.
    var wrong = oracle.output
    wrong[7] += 0.5
    problem.add("output", problem.inLayout(wrong), shape: outputShape, as: .f64)
    try problem.write(to: input)
    let error = try #require(try report(arguments).recordedError)
    #expect(abs(error - 0.5) < 1e-5)
  }

  /// Numbers that are not finite have no difference. The report says so in text and in JSON, and does not fail.
  @Test func ofAnOutputThatIsNotFinite() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var problem = Problem()
    problem.add("output", [Double](repeating: .nan, count: 2 * 4 * 5 * 3), shape: [2, 4, 5, 3], as: .f64)
    try problem.write(to: input)
    let text = try attention("compare", input, "--repetitions", "1")
    #expect(text.ending == .exit(0), "\(text.error)")
    let json = try attention("compare", input, "--repetitions", "1", "--json")
    #expect(json.ending == .exit(0), "\(json.error)")
    #expect((try? JSONSerialization.jsonObject(with: Data(json.output))) is [String: Any], "\(json.text)")
  }

  @Test func text() throws {
    let outcome = try attention("compare", "--queries", "20", "--heads", "1", "--repetitions", "1")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    for part in ["fused", "naive", "time", "memory", "error", "[1, 1, 20, 64]", " ms"] {
      #expect(outcome.text.contains(part))
    }
    #expect(!outcome.text.contains("recorded"))
  }

  @Test func emptyShapes() throws {
    for arguments in [["--queries", "0"], ["--queries", "8", "--keys", "0"]] {
      let report = try report(arguments)
      #expect(report.fusedError == 0)
    }
  }
}
