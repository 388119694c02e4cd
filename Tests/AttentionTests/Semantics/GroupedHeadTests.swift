import Attention
import AttentionReference
import Testing

@Suite struct GroupedHeadTests {
  /// (H, G): plain, grouped, multi-query.
  @Test(
    "Line 10: query head h reads key/value head h ÷ (H ÷ G)", arguments: [(3, 3), (6, 2), (6, 3), (5, 1), (64, 1)])
  func repeatedHeads(heads: Int, keyHeads: Int) throws {
    let grouped = Problem(batch: 2, heads: heads, keyHeads: keyHeads, queries: 11, keys: 18, dimension: 5, seed: 3)
    for type in AttentionScalarType.testable {
      let grouped = grouped.rounded(to: type)
      var repeated = grouped
      repeated.shape.keyHeads = heads
      repeated.keys = repeatHeads(grouped.keys, headSize: 18 * 5, times: heads / keyHeads)
      repeated.values = repeatHeads(grouped.values, headSize: 18 * 5, times: heads / keyHeads)
      let oracle = repeated.reference()
      for name in availableInstructionSets {
        let fused = try grouped.fused(as: type, instructionSet: name)
        let violation = grouped.violation(
          of: fused, as: type, oracle: (oracle.output, oracle.logSumExp), naive: nil)
        #expect(violation == nil, "\(name)")
      }
    }
  }

  @Test("Line 10: H must be a multiple of G", arguments: [(6, 4), (2, 3), (1, 2)])
  func multiples(heads: Int, keyHeads: Int) {
    let error = #expect(throws: AttentionError.self) {
      try Problem(heads: heads, keyHeads: keyHeads, queries: 2, keys: 2).fused()
    }
    #expect(error?.code == .headGroups)
    #expect(error?.message == "query_heads (\(heads)) is not a multiple of kv_heads (\(keyHeads))")
  }

  private func repeatHeads(_ elements: [Double], headSize: Int, times: Int) -> [Double] {
    stride(from: 0, to: elements.count, by: headSize).flatMap { first in
      (0..<times).flatMap { _ in elements[first..<first + headSize] }
    }
  }
}
