import Attention
import AttentionReference
import Testing

@Suite struct LayoutTests {
  static let arrangements = [
    Arrangement(layout: .bshd), Arrangement(rowGap: 3), Arrangement(layout: .bshd, rowGap: 5),
    Arrangement(guardBand: 7), Arrangement(layout: .bshd, rowGap: 1, guardBand: 1),
  ]

  @Test("Line 13: BHSD, BSHD and rows apart give the same bits", arguments: arrangements)
  func sameBits(arrangement: Arrangement) throws {
    let options = ReferenceOptions(
      causal: true, queryOffsets: [90], keyLengths: [140, 60], dropoutProbability: 0.2)
    let problem = Problem(
      batch: 2, heads: 4, keyHeads: 2, queries: 53, keys: 140, dimension: 17, valueDimension: 10, options: options)
    for kernel in Kernel.all {
      let dense = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      let other = try problem.fused(
        as: kernel.type, instructionSet: kernel.instructionSet, arrangement: arrangement)
      #expect(other.bits == dense.bits, "\(kernel)")
      #expect(dense.output.allSatisfy(\.isFinite) && dense.output.contains { $0 != 0 })
    }
  }
}
