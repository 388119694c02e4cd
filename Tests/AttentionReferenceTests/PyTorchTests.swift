import AttentionReference
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
    let recorded = Set(try RecordedCase.fixtures().names.map { String($0.prefix { $0 != "/" }) })
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
