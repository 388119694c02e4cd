import AttentionReference
import Testing

@Suite struct GroupedHeadTests {
  /// Query head h reads key/value head h ÷ (H ÷ G): the same bits as with each key/value head repeated.
  @Test(arguments: Implementation.allCases) func equalsRepeatedHeads(implementation: Implementation) {
    let grouped = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 6, keyHeads: 2, queryLength: 3, keyLength: 4, headDimension: 5, valueDimension: 3),
      seed: 6)
    var repeated = grouped
    repeated.shape.keyHeads = 6
    repeated.keys = repeatHeads(grouped.keys, headSize: 4 * 5)
    repeated.values = repeatHeads(grouped.values, headSize: 4 * 3)
    #expect(Set(grouped.keys).count == grouped.keys.count)
    let expected = implementation(repeated)
    let result = implementation(grouped)
    #expect(bits(result.output) == bits(expected.output))
    #expect(bits(result.logSumExp) == bits(expected.logSumExp))
  }

  /// Each head three times in a row.
  private func repeatHeads(_ elements: [Double], headSize: Int) -> [Double] {
    stride(from: 0, to: elements.count, by: headSize).flatMap { first in
      (0..<3).flatMap { _ in elements[first..<first + headSize] }
    }
  }
}
