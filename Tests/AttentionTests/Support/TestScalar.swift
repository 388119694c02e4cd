import Attention

/// A storage type of the kernels, in and out of Double.
protocol TestScalar: AttentionScalar {
  init(rounding number: Double)
  var number: Double { get }
  var pattern: UInt64 { get }
  /// Half the distance of neighbours at a magnitude.
  static func halfUlp(at magnitude: Double) -> Double
}

extension Float: TestScalar {
  init(rounding number: Double) { self.init(number) }
  var number: Double { Double(self) }
  var pattern: UInt64 { UInt64(bitPattern) }
  static func halfUlp(at magnitude: Double) -> Double { Double(Float(magnitude).ulp) / 2 }
}

extension Double: TestScalar {
  init(rounding number: Double) { self = number }
  var number: Double { self }
  var pattern: UInt64 { bitPattern }
  static func halfUlp(at magnitude: Double) -> Double { magnitude.ulp / 2 }
}

extension BFloat16: TestScalar {
  init(rounding number: Double) { self.init(Float(number)) }
  var number: Double { Double(Float(self)) }
  var pattern: UInt64 { UInt64(bitPattern) }
  // Float with 16 bits fewer.
  static func halfUlp(at magnitude: Double) -> Double { Double(Float(magnitude).ulp) * 0x1p16 / 2 }
}

#if !(os(macOS) && arch(x86_64))
  extension Float16: TestScalar {
    init(rounding number: Double) { self.init(number) }
    var number: Double { Double(self) }
    var pattern: UInt64 { UInt64(bitPattern) }
    static func halfUlp(at magnitude: Double) -> Double { Double(Float16(magnitude).ulp) / 2 }
  }
#endif

extension AttentionScalarType {
  /// The types that this platform has.
  static var testable: [AttentionScalarType] {
    #if os(macOS) && arch(x86_64)
      [.float32, .float64, .bfloat16]
    #else
      allCases
    #endif
  }

  var scalar: any TestScalar.Type {
    switch self {
    case .float32: Float.self
    case .float64: Double.self
    case .bfloat16: BFloat16.self
    case .float16:
      #if os(macOS) && arch(x86_64)
        fatalError("no Float16 on this platform")
      #else
        Float16.self
      #endif
    }
  }

  /// u of the type computed in: half the distance from 1 to the next number.
  var unitRoundoff: Double { self == .float64 ? 0x1p-53 : 0x1p-24 }

  /// The smallest normal number of the type computed in: smaller results may become 0.
  var leastNormal: Double { self == .float64 ? .leastNormalMagnitude : Double(Float.leastNormalMagnitude) }
}
