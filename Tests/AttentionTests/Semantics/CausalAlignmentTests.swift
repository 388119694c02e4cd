import Attention
import AttentionReference
import Testing

@Suite struct CausalAlignmentTests {
  @Test("Line 2: causal over different lengths is never guessed", arguments: [(3, 5), (5, 3), (0, 1), (1, 0)])
  func plainCausalNeedsEqualLengths(queries: Int, keys: Int) throws {
    let problem = Problem(queries: queries, keys: keys)
    let error = #expect(throws: AttentionError.self) { try problem.fused(mask: .causal) }
    #expect(error?.code == .alignment)
    #expect(error?.message.contains("query_length \(queries) and key_length \(keys)") == true)
  }

  @Test("Line 2: plain causal is offset 0 for equal lengths")
  func plainCausal() throws {
    var problem = Problem(queries: 70, keys: 70)
    let everything = try problem.fused().bits
    problem.options.causal = true
    try expectAgreement(problem, mask: .causal)
    let bits = try problem.fused(mask: .causal).bits
    #expect(bits != everything)
    #expect(try problem.fused(mask: .causal(.topLeft)).bits == bits)
    #expect(try problem.fused(mask: .causal(.bottomRight)).bits == bits)
    #expect(try problem.fused(mask: .causal(queryOffset: 0)).bits == bits)
    #expect(try problem.fused(mask: .causal(queryOffsets: [0])).bits == bits)
  }

  struct Example: Sendable {
    let name: String
    let mask: AttentionMask
    let offsets: [Int]
  }

  /// Of two batches with `queries` and `keys`.
  static func examples(queries: Int, keys: Int) -> [Example] {
    [
      Example(name: "top left", mask: .causal(.topLeft), offsets: [0]),
      Example(name: "bottom right", mask: .causal(.bottomRight), offsets: [keys - queries]),
      Example(name: "offset", mask: .causal(queryOffset: 3), offsets: [3]),
      Example(name: "offsets", mask: .causal(queryOffsets: [-2, 61]), offsets: [-2, 61]),
    ]
  }

  @Test("Line 2: key j is visible to query i when j ≤ i + offset", arguments: [(5, 9), (9, 5), (50, 130), (130, 50)])
  func visibleKeys(queries: Int, keys: Int) throws {
    var seen: [FusedResult.Bits] = []
    for example in Self.examples(queries: queries, keys: keys) {
      var problem = Problem(batch: 2, queries: queries, keys: keys, dimension: 4)
      problem.options.causal = true
      problem.options.queryOffsets = example.offsets
      try expectAgreement(problem, mask: example.mask)
      let bits = try problem.fused(mask: example.mask).bits
      #expect(!seen.contains(bits), "\(example.name)")
      seen.append(bits)
    }
  }
}
