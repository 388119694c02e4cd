import AttentionReference
import Foundation
import Safetensors
import Testing

/// The oracle against values recorded from PyTorch by Fixtures/make_pytorch_fixtures.py.
@Suite struct PyTorchTests {
  static let cases = [
    "plain", "scale", "scale_zero", "value_dimension", "mask", "mask_broadcast_keys", "mask_rank_2", "bias",
    "bias_broadcast", "causal_top_left_wide", "causal_top_left_tall", "causal_bottom_right_wide",
    "causal_bottom_right_tall", "causal_offset_per_batch", "grouped_heads", "multi_query_causal", "softcap", "alibi",
    "alibi_causal", "sinks", "sinks_empty_rows", "window", "window_offset_left", "window_causal", "key_lengths",
    "everything",
  ]

  @Test func everyRecordedCaseIsListed() throws {
    let recorded = Set(try fixtures().names.map { String($0.prefix { $0 != "/" }) })
    #expect(recorded == Set(Self.cases))
  }

  @Test func everyOptionIsRecorded() throws {
    let used = try Self.cases.map { try RecordedCase(named: $0).problem.options.namesInUse }
    #expect(
      used.reduce([]) { $0.union($1) } == [
        "scale", "softcap", "causal", "queryOffsets", "windowLeft", "windowRight", "keyLengths", "mask", "bias",
        "alibiSlopes", "sinks",
      ])
  }

  @Test(arguments: cases) func agrees(name: String) throws {
    let recorded = try RecordedCase(named: name)
    let bound = recorded.problem.roundingBound(unitRoundoff: 0x1p-53)
    let result = recorded.problem.reference(emittingMatrices: true)
    #expect(bound < 1e-11)
    #expect(!result.output.isEmpty)
    #expect(largestDifference(result.output, recorded.output) <= bound)
    #expect(largestDifference(result.logSumExp, recorded.logSumExp) <= bound)
    #expect(largestDifference(try #require(result.weights), recorded.weights) <= bound)
    #expect(largestDifference(try #require(result.scores), recorded.scores) <= bound)
  }

  /// A recorded case proves something about an option only if it comes out differently without it.
  @Test(arguments: cases) func everyOptionMatters(name: String) throws {
    let recorded = try RecordedCase(named: name)
    for option in recorded.problem.options.namesInUse {
      var problem = recorded.problem
      problem.options = problem.options.without(option)
      let result = problem.reference()
      #expect(largestDifference(result.output, recorded.output) > 1e-3, "\(option) makes no difference")
      #expect(largestDifference(result.logSumExp, recorded.logSumExp) > 1e-3, "\(option) makes no difference")
    }
  }

  @Test(arguments: cases) func naiveAgrees(name: String) throws {
    let recorded = try RecordedCase(named: name)
    for implementation in [Implementation.naiveDouble, .naiveFloat] {
      let bound = recorded.problem.roundingBound(unitRoundoff: implementation.unitRoundoff)
      let (output, logSumExp) = implementation(recorded.problem)
      #expect(largestDifference(output, recorded.output) <= bound, "\(implementation)")
      #expect(largestDifference(logSumExp, recorded.logSumExp) <= bound, "\(implementation)")
    }
  }
}

private func fixtures() throws -> SafetensorsFile {
  let path = Bundle.module.path(forResource: "pytorch", ofType: "safetensors", inDirectory: "Fixtures")
  return try SafetensorsFile(contentsOf: try #require(path))
}

/// One case of the file: tensors named CASE/NAME.
private struct RecordedCase {
  var problem: Problem
  let output, logSumExp, weights, scores: [Double]

  init(named name: String) throws {
    let file = try fixtures()
    func tensor(_ tensor: String) throws -> SafetensorsTensor { try file.tensor(named: "\(name)/\(tensor)") }
    func option(_ option: String) throws -> SafetensorsTensor? {
      file.contains("\(name)/\(option)") ? try tensor(option) : nil
    }
    func numbers(_ name: String) throws -> [Double] { try tensor(name).scalars(as: Double.self) }

    let (query, key, value) = (try tensor("query"), try tensor("key"), try tensor("value"))
    try #require(query.type == .f64 && query.shape.count == 4 && key.shape.count == 4 && value.shape.count == 4)
    let shape = ReferenceShape(
      batch: query.shape[0], queryHeads: query.shape[1], keyHeads: key.shape[1], queryLength: query.shape[2],
      keyLength: key.shape[2], headDimension: query.shape[3], valueDimension: value.shape[3])
    problem = Problem(shape, seed: 0)
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
