import Safetensors

/// The bytes of numbers in a floating-point type of files, each rounded once to nearest, ties to even.
func encode(_ numbers: [Double], as type: SafetensorsType) -> [UInt8] {
  switch type {
  case .f64: return numbers.withUnsafeBytes { Array($0) }
  case .f32: return numbers.map { Float($0) }.withUnsafeBytes { Array($0) }
  case .f16: return numbers.map { nearest($0, bits: { halfValue(of: $0) }) }.withUnsafeBytes { Array($0) }
  case .bf16:
    return numbers.map { nearest($0, bits: { Double(Float(bitPattern: UInt32($0) << 16)) }) }
      .withUnsafeBytes { Array($0) }
  default: fatalError("\(type) is no floating-point type")
  }
}

/// Integers in any type of files; they must fit.
func encode(_ numbers: [Int], as type: SafetensorsType) -> [UInt8] {
  func bytes<T: FixedWidthInteger>(_ type: T.Type) -> [UInt8] {
    numbers.map { T($0).littleEndian }.withUnsafeBytes { Array($0) }
  }
  switch type {
  case .bool, .u8: return bytes(UInt8.self)
  case .i8: return bytes(Int8.self)
  case .i16: return bytes(Int16.self)
  case .u16: return bytes(UInt16.self)
  case .i32: return bytes(Int32.self)
  case .u32: return bytes(UInt32.self)
  case .i64: return bytes(Int64.self)
  case .u64: return bytes(UInt64.self)
  case .f64, .f32, .f16, .bf16: return encode(numbers.map { Double($0) }, as: type)
  }
}

/// The 16 bits whose value is nearest to x, found by bisection over the non-negative patterns, which ascend with their
/// values in both 16-bit types. Written for certainty, not for speed: `Float16` does not exist on Intel Macs, and
/// rounding by way of `Float` would round twice.
private func nearest(_ x: Double, bits value: (UInt16) -> Double) -> UInt16 {
  let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
  let magnitude = x.magnitude
  var infinity: UInt16 = 0x7FFF
  while value(infinity).isNaN { infinity -= 1 }
  if magnitude.isNaN { return sign | 0x7FFF }
  var (low, high): (UInt16, UInt16) = (0, infinity)
  while high - low > 1 {
    let middle = low + (high - low) / 2
    if value(middle) <= magnitude { low = middle } else { high = middle }
  }
  if value(high) <= magnitude { return sign | high }
  // Beyond the largest finite number the next one would stand at twice its binade.
  let above = value(high).isInfinite ? 2 * value(low) - value(low - 1) : value(high)
  let (down, up) = (magnitude - value(low), above - magnitude)
  let roundsDown = down < up || (down == up && low & 1 == 0)
  return sign | (roundsDown ? low : high)
}

/// The value of an IEEE 754 binary16 with sign 0.
private func halfValue(of bits: UInt16) -> Double {
  let (exponent, fraction) = (Int(bits >> 10), Double(bits & 0x3FF))
  switch exponent {
  case 0: return fraction * 0x1p-24
  case 31: return fraction == 0 ? .infinity : .nan
  default: return Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
  }
}

extension SafetensorsType {
  /// The types that attention is computed for.
  static let attentionTypes: [SafetensorsType] = [.f32, .f64, .f16, .bf16]

  /// The type of log-sum-exp, weights and scores for inputs of this type.
  var computeType: SafetensorsType { self == .f64 ? .f64 : .f32 }

  /// Half a unit in the last place of 1, relative.
  var unitRoundoff: Double {
    switch self {
    case .f64: 0x1p-53
    case .f32: 0x1p-24
    case .f16: 0x1p-11
    case .bf16: 0x1p-8
    default: 0
    }
  }

  /// Half of the smallest subnormal number: what rounding may cost near 0.
  var underflow: Double {
    switch self {
    case .f16: 0x1p-25
    case .bf16: 0x1p-134
    case .f32: 0x1p-150
    default: 0
    }
  }
}
