import AttentionReference
import Safetensors
import Testing

extension Problem {
  /// Runs `attention run` on the problem and gives the output file's bytes; expects success, silence, and an output
  /// file beside the input and nothing else.
  func run(
    _ more: [String] = [], environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("input.safetensors"), directory.file("output.safetensors"))
    try write(to: input)
    let outcome = try attention(
      ["run", input, "-o", output] + (layout == .bhsd ? [] : ["--layout", layout.rawValue]) + arguments + more,
      environment: environment)
    expectSilentSuccess(outcome, sourceLocation: sourceLocation)
    #expect(
      try directory.contents == ["input.safetensors", "output.safetensors"], sourceLocation: sourceLocation)
    return try bytes(of: output)
  }

  /// Runs the problem fused and with `--reference`, each with weights and scores, and expects of both all that the
  /// contract says: names, types, shapes, layout; fused within the tolerance of the oracle, and the reference's numbers
  /// those of the oracle, rounded.
  ///
  /// - Parameter optionsMatter: also expect that the plain problem's result is beyond the tolerance, so that a command
  ///   that ignores the options cannot pass.
  func expectOracleResults(
    optionsMatter: Bool = true, environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let oracle = reference()
    let tolerance = Tolerance(self, oracle: oracle)
    if optionsMatter {
      var plain = self
      plain.options = ReferenceOptions()
      let other = plain.reference()
      let differs =
        firstDifference("output", other.output, oracle.output, within: tolerance.output, storedAs: type) != nil
        || firstDifference("lse", other.logSumExp, oracle.logSumExp, within: tolerance.logSumExp, storedAs: .f32) != nil
      #expect(differs, "the options change nothing", sourceLocation: sourceLocation)
    }
    let emit = ["--emit", "weights,scores"]
    let fused = try ResultFile(bytes: try run(emit, environment: environment, sourceLocation: sourceLocation))
    let exact = try ResultFile(bytes: try run(emit + ["--reference"], sourceLocation: sourceLocation))
    for file in [fused, exact] {
      expectContract(file, matrices: ["weights", "scores"], sourceLocation: sourceLocation)
    }

    let expected: [(name: String, numbers: [Double], bound: Double, type: SafetensorsType)] = [
      ("output", inLayout(oracle.output), tolerance.output, type),
      ("lse", oracle.logSumExp, tolerance.logSumExp, type.computeType),
      ("weights", try #require(oracle.weights), tolerance.weights, type.computeType),
      ("scores", try #require(oracle.scores), tolerance.scores, type.computeType),
    ]
    for (name, numbers, bound, type) in expected {
      let difference = firstDifference(name, try fused.numbers(name), numbers, within: bound, storedAs: type)
      #expect(difference == nil, "fused \(environment)", sourceLocation: sourceLocation)
      let rounding = firstDifference(name, try exact.numbers(name), numbers, within: 0, storedAs: type)
      #expect(rounding == nil, "--reference", sourceLocation: sourceLocation)
      if !numbers.contains(where: \.isNaN) {
        #expect(
          try exact.bytes(name) == encode(numbers, as: type), "\(name) of --reference is not the oracle's, rounded",
          sourceLocation: sourceLocation)
      }
    }
    expectNormalizedWeights(try fused.numbers("weights"), tolerance, sourceLocation: sourceLocation)
  }

  /// Rows of weights sum to 1, or to 0 without a visible key. With sinks the sum is less.
  private func expectNormalizedWeights(_ weights: [Double], _ tolerance: Tolerance, sourceLocation: SourceLocation) {
    let count = shape.keyLength
    guard count > 0 else { return }
    for start in stride(from: 0, to: weights.count, by: count) {
      let sum = weights[start..<start + count].reduce(0, +)
      let bound = Double(count) * tolerance.weights
      // Rows of no visible key, and rows that failed, which the comparison with the oracle has dealt with.
      guard sum != 0, !sum.isNaN else { continue }
      if options.sinks == nil {
        #expect((sum - 1).magnitude <= bound, sourceLocation: sourceLocation)
      } else {
        #expect(sum > 0 && sum <= 1 + bound, sourceLocation: sourceLocation)
      }
    }
  }

  /// Numbers of [B, H, Sq, Dv] in the order of the file's layout.
  func inLayout(_ output: [Double]) -> [Double] {
    ordered(output, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.valueDimension)
  }

  func expectContract(_ file: ResultFile, matrices: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) {
    let (B, H, Sq, Dv) = (shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension)
    var expected = [
      "output": ResultFile.Description(type: type, shape: layout == .bhsd ? [B, H, Sq, Dv] : [B, Sq, H, Dv]),
      "lse": ResultFile.Description(type: type.computeType, shape: [B, H, Sq]),
    ]
    for name in matrices {
      expected[name] = ResultFile.Description(type: type.computeType, shape: shape.pairs)
    }
    #expect(file.descriptions == expected, sourceLocation: sourceLocation)
  }
}

/// A file that the command wrote.
struct ResultFile {
  struct Description: Equatable {
    var type: SafetensorsType
    var shape: [Int]
  }

  let file: SafetensorsFile

  init(path: String) throws { file = try SafetensorsFile(contentsOf: path) }

  init(bytes: [UInt8]) throws {
    // The mapping outlives the directory's entry.
    let directory = try TemporaryDirectory()
    file = try SafetensorsFile(contentsOf: directory.store(bytes, as: "output.safetensors"))
  }

  /// All tensors by name.
  var descriptions: [String: Description] {
    var result: [String: Description] = [:]
    for name in file.names {
      if let tensor = try? file.tensor(named: name) {
        result[name] = Description(type: tensor.type, shape: tensor.shape)
      }
    }
    return result
  }

  func numbers(_ name: String) throws -> [Double] { try file.tensor(named: name).scalars(as: Double.self) }

  func bytes(_ name: String) throws -> [UInt8] { try file.tensor(named: name).withUnsafeBytes { Array($0) } }
}
