/// A bfloat16 number: the upper 16 bits of a `Float`. Storage only: computing happens in `Float`.
public struct BFloat16: Sendable, Hashable, BitwiseCopyable {
  /// Sign, 8 bits of exponent, 7 of significand.
  public var bitPattern: UInt16

  /// The number with these bits.
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest bfloat16, ties to even; NaN stays NaN.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
    } else {
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }
  }
}

extension Float {
  /// The same number, exactly.
  public init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}
