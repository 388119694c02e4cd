import Attention
import Testing

@Suite struct BFloat16Tests {
  @Test func everyPatternRoundTrips() {
    var wrong = 0
    for pattern in UInt16.min...UInt16.max {
      let number = BFloat16(bitPattern: pattern)
      let float = Float(number)
      if float.bitPattern != UInt32(pattern) << 16 { wrong += 1 }
      let back = BFloat16(float)
      // A NaN becomes a quiet one with the same sign and payload.
      let expected = float.isNaN ? pattern | 0x0040 : pattern
      if back.bitPattern != expected { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  /// Between neighbours a and b: nearer to a is a, nearer to b is b, and the middle goes to the even one.
  @Test func roundsToNearestEven() {
    var wrong = 0
    for pattern in UInt16(0)..<0x7F80 {
      let low = UInt32(pattern) << 16
      let tie = BFloat16(Float(bitPattern: low | 0x8000)).bitPattern
      let below = BFloat16(Float(bitPattern: low | 0x7FFF)).bitPattern
      let above = BFloat16(Float(bitPattern: low | 0x8001)).bitPattern
      let negative = BFloat16(Float(bitPattern: low | 0x8000_8001)).bitPattern
      if tie != (pattern & 1 == 0 ? pattern : pattern + 1) || below != pattern || above != pattern + 1
        || negative != (pattern + 1) | 0x8000
      {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test func ends() {
    #expect(Float(BFloat16(.infinity)) == .infinity && Float(BFloat16(-.infinity)) == -.infinity)
    // Nearer to 2¹²⁸ than to the largest number.
    #expect(Float(BFloat16(.greatestFiniteMagnitude)) == .infinity)
    #expect(BFloat16(-0.0).bitPattern == 0x8000)
    for bits in [UInt32(0x7F80_0001), 0xFF80_0001, 0x7FFF_FFFF, 0x7FC0_0000] {
      #expect(Float(BFloat16(Float(bitPattern: bits))).isNaN)
    }
    #expect(BFloat16(1) == BFloat16(bitPattern: 0x3F80) && BFloat16(1) != BFloat16(2))
  }
}
