import AttentionReference
import Safetensors
import Testing

/// With `output_gradient` in the file, `run` writes the gradients of what the file holds.
@Suite struct GradientTests {
  private static func problem(_ layout: Problem.Layout) -> (problem: Problem, outputGradient: [Double]) {
    var problem = Problem(type: .f64)
    problem.layout = layout
    let shape = problem.shape
    var generator = SeededGenerator(seed: 9)
    let outputGradient = generator.numbers(
      shape.batch * shape.queryHeads * shape.queryLength * shape.valueDimension)
    let axes =
      layout == .bhsd
      ? [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension]
      : [shape.batch, shape.queryLength, shape.queryHeads, shape.valueDimension]
    problem.add(
      "output_gradient",
      problem.ordered(
        outputGradient, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.valueDimension),
      shape: axes, as: .f64)
    let bias = generator.numbers(shape.queryHeads * shape.keyLength)
    problem.add("bias", bias, shape: [shape.queryHeads, 1, shape.keyLength], as: .f64)
    problem.add("sinks", [0.5, -0.25, 0, 1], shape: [4], as: .f64)
    problem.arguments = ["--causal", "bottom-right", "--softcap", "2"]
    problem.options = ReferenceOptions(
      softcap: 2, causal: true, queryOffsets: [shape.keyLength - shape.queryLength],
      bias: ReferenceBroadcast(elements: bias, shape: [shape.queryHeads, 1, shape.keyLength]),
      sinks: [0.5, -0.25, 0, 1])
    return (problem, outputGradient)
  }

  /// In F64 both are within a few hundred roundings of numbers of order 1 of the oracle: each gradient is a sum of at
  /// most B·H·Sq terms (70 here, with D, Dv and Sk below 10), each off by at most (D + Dv + Sk + 8) roundings.
  @Test(arguments: Problem.Layout.allCases, [[], ["--reference"]])
  func agreeWithTheOracle(layout: Problem.Layout, arguments: [String]) throws {
    let (problem, outputGradient) = Self.problem(layout)
    let shape = problem.shape
    let oracle = referenceAttentionGradients(
      queries: problem.queries, keys: problem.keys, values: problem.values, outputGradient: outputGradient,
      shape: shape, options: problem.options)
    let file = try ResultFile(bytes: try problem.run(arguments))
    let expected: [(name: String, numbers: [Double])] = [
      (
        "query_gradient",
        problem.ordered(
          oracle.queries, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.headDimension)
      ),
      (
        "key_gradient",
        problem.ordered(oracle.keys, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.headDimension)
      ),
      (
        "value_gradient",
        problem.ordered(oracle.values, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.valueDimension)
      ),
      ("bias_gradient", try #require(oracle.bias)), ("sinks_gradient", try #require(oracle.sinks)),
    ]
    for (name, numbers) in expected {
      let found = try file.numbers(name)
      #expect(found.count == numbers.count && numbers.contains { $0.magnitude > 1e-3 }, "\(name)")
      let bound = 70.0 * 32 * 0x1p-53 * (numbers.map(\.magnitude).max() ?? 0) + 70 * 32 * 0x1p-53
      #expect(zip(found, numbers).allSatisfy { ($0 - $1).magnitude <= bound }, "\(name)")
    }
    #expect(file.descriptions["bias_gradient"]?.shape == [shape.queryHeads, 1, shape.keyLength])
    #expect(file.descriptions["sinks_gradient"]?.shape == [shape.queryHeads])
  }

  @Test func sameBytesForEachThreadCount() throws {
    let problem = Self.problem(.bhsd).problem
    let one = try problem.run(["--threads", "1"])
    for threads in ["2", "3", "7"] { #expect(try problem.run(["--threads", threads]) == one, "\(threads) threads") }
  }

  @Test func noneWithoutTheOutputGradient() throws {
    let file = try ResultFile(bytes: try Problem().run())
    #expect(file.descriptions.keys.sorted() == ["lse", "output"])
  }
}
