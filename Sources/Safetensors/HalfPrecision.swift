extension Float {
  /// The value of an IEEE 754 binary16, which `Float` holds exactly; a NaN keeps its sign and payload.
  ///
  /// By integer arithmetic, because `Float16` does not exist on Intel Macs.
  @inline(__always)
  init(halfBitPattern half: UInt16) {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10) & 0x1F
    let fraction = UInt32(half) & 0x3FF
    switch exponent {
    case 0:
      // Zero or subnormal, fraction · 2⁻²⁴: both factors and the product are exact.
      self.init(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)
    case 0x1F:
      self.init(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default:
      // The biases are 15 and 127.
      self.init(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
