import Attention
import AttentionReference
import Foundation
import Safetensors
import Testing

/// The kernels against values that PyTorch computed, recorded for the tests of the oracle.
@Suite struct PyTorchTests {
  static let path =
    RecordedInputs.root.appending(path: "Tests/AttentionReferenceTests/Fixtures/pytorch.safetensors").path

  static func names() throws -> [String] {
    let file = try SafetensorsFile(contentsOf: path)
    return Set(file.names.map { String($0.prefix { $0 != "/" }) }).sorted()
  }

  @Test func everyRecordedCase() throws {
    let names = try Self.names()
    #expect(names.count >= 26)
    for name in names {
      let recorded = try RecordedCase(named: name)
      let problem = recorded.problem
      for instructionSet in availableInstructionSets {
        let fused = try problem.fused(as: .float64, instructionSet: instructionSet)
        let violation = problem.violation(
          of: fused, as: .float64, oracle: (recorded.output, recorded.logSumExp), naive: nil)
        #expect(violation == nil, "\(name), \(instructionSet)")
        #expect(problem.outputCount > 0 && fused.output.contains { $0 != 0 }, "\(name)")

        let bound = RoundingBound(problem, type: .float64, oracle: recorded.logSumExp)
        let rows = bound.logSumExp.flatMap { [Double](repeating: $0, count: problem.shape.keyLength) }
        // Scores are bounded by what bounds their sum, weights by that too: they are at most 1.
        let scores = firstViolation(
          "scores", try problem.scores(instructionSet: instructionSet), oracle: recorded.scores, naive: nil
        ) { 2 * rows[$0] }
        let weights = firstViolation(
          "weights", try problem.weights(instructionSet: instructionSet), oracle: recorded.weights, naive: nil
        ) { 2 * rows[$0] }
        #expect(scores == nil && weights == nil, "\(name), \(instructionSet)")
      }
    }
  }
}

/// One case of the file: tensors named CASE/NAME.
private struct RecordedCase {
  var problem: Problem
  let output, logSumExp, weights, scores: [Double]

  init(named name: String) throws {
    let file = try SafetensorsFile(contentsOf: PyTorchTests.path)
    func tensor(_ tensor: String) throws -> SafetensorsTensor { try file.tensor(named: "\(name)/\(tensor)") }
    func option(_ option: String) throws -> SafetensorsTensor? {
      file.contains("\(name)/\(option)") ? try tensor(option) : nil
    }
    func numbers(_ name: String) throws -> [Double] { try tensor(name).scalars(as: Double.self) }

    let (query, key, value) = (try tensor("query"), try tensor("key"), try tensor("value"))
    try #require(query.type == .f64 && query.shape.count == 4 && key.shape.count == 4 && value.shape.count == 4)
    problem = Problem(
      batch: query.shape[0], heads: query.shape[1], keyHeads: key.shape[1], queries: query.shape[2],
      keys: key.shape[2], dimension: query.shape[3], valueDimension: value.shape[3])
    problem.queries = try numbers("query")
    problem.keys = try numbers("key")
    problem.values = try numbers("value")
    problem.options = ReferenceOptions(
      scale: try option("scale")?.scalars(as: Double.self)[0],
      softcap: try option("softcap")?.scalars(as: Double.self)[0] ?? 0,
      causal: try option("causal")?.scalars(as: Double.self)[0] == 1,
      queryOffsets: try option("query_offsets")?.integers() ?? [],
      windowLeft: try option("window_left")?.integers()[0],
      windowRight: try option("window_right")?.integers()[0],
      keyLengths: try option("key_lengths")?.integers(),
      mask: try option("mask").map {
        ReferenceBroadcast(elements: $0.scalars(as: Double.self).map { $0 == 1 }, shape: $0.shape)
      },
      bias: try option("bias").map { ReferenceBroadcast(elements: $0.scalars(as: Double.self), shape: $0.shape) },
      alibiSlopes: try option("alibi_slopes")?.scalars(as: Double.self),
      sinks: try option("sinks")?.scalars(as: Double.self))
    output = try numbers("output")
    logSumExp = try numbers("lse")
    weights = try numbers("weights")
    scores = try numbers("scores")
  }
}
