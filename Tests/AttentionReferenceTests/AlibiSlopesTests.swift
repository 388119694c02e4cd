import AttentionReference
import Foundation
import Testing

@Suite struct AlibiSlopesTests {
  @Test func powersOfTwo() {
    #expect(alibiSlopes(heads: 1) == [0x1p-8])
    #expect(alibiSlopes(heads: 2) == [0x1p-4, 0x1p-8])
    #expect(alibiSlopes(heads: 8) == [0x1p-1, 0x1p-2, 0x1p-3, 0x1p-4, 0x1p-5, 0x1p-6, 0x1p-7, 0x1p-8])
  }

  /// The slopes of 8 heads, then those of 16 at even places: 2^−0.5, 2^−1.5, 2^−2.5, 2^−3.5.
  @Test func twelve() {
    let slopes = alibiSlopes(heads: 12)
    let expected = alibiSlopes(heads: 8) + [-0.5, -1.5, -2.5, -3.5].map { exp2($0) }
    #expect(expected.count == 12)
    #expect(largestDifference(slopes, expected) <= 0x1p-52)
  }

  @Test func three() {
    #expect(alibiSlopes(heads: 3) == [0x1p-4, 0x1p-8, 0x1p-2])
  }

  @Test func everyCount() {
    #expect(alibiSlopes(heads: 0).isEmpty)
    for heads in 1...130 {
      let slopes = alibiSlopes(heads: heads)
      #expect(slopes.count == heads)
      #expect(Set(slopes).count == heads, "\(heads) heads: slopes repeat")
      #expect(slopes.allSatisfy { 0x1p-8 <= $0 && $0 < 1 }, "\(heads) heads")
    }
  }
}
