import Attention
import AttentionReference
import Testing

@Suite struct AlibiTests {
  @Test("Line 7: ALiBi takes slope·|i + offset − j| off the score", arguments: [0, 3, -4, 65])
  func distances(offset: Int) throws {
    // With scale 0 the scores are the distances.
    let problem = Problem(
      heads: 2, queries: 6, keys: 70,
      options: ReferenceOptions(scale: 0, queryOffsets: [offset], alibiSlopes: [0.5, 0.125]))
    let scores = try problem.scores()
    #expect(scores.count == 2 * 6 * 70)
    for (h, slope) in [0.5, 0.125].enumerated() {
      for i in 0..<6 {
        for j in 0..<70 {
          let expected = -slope * Double((i + offset - j).magnitude)
          // Slope times log₂ e, its product, ln 2 and theirs.
          #expect((scores[(h * 6 + i) * 70 + j] - expected).magnitude <= 8 * 0x1p-53 * expected.magnitude)
        }
      }
    }
    try expectAgreement(problem)
  }

  @Test("Line 7: slopes for any number of heads are the original paper's", arguments: 0...70)
  func slopes(heads: Int) {
    let slopes = Attention.alibiSlopes(heads: heads)
    #expect(slopes.count == heads)
    #expect(slopes == AttentionReference.alibiSlopes(heads: heads))
  }
}
