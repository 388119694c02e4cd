#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// SplitMix64 (Steele, Lea, Flood 2014): the parameters that a seed makes are the same on every machine.
///
/// Number n, counted from 0, is a function of seed and n alone: it can be had without those before it.
struct InitialGenerator: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mixed(state)
  }

  static func number(_ n: Int, seed: UInt64) -> UInt64 {
    mixed(seed &+ (UInt64(truncatingIfNeeded: n) &+ 1) &* 0x9E37_79B9_7F4A_7C15)
  }

  private static func mixed(_ state: UInt64) -> UInt64 {
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In 0..<1, a multiple of 2⁻⁵³.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}

extension Tensor {
  /// Uniform in −bound...bound.
  static func uniform(_ shape: [Int], bound: Double, using generator: inout InitialGenerator) -> Tensor {
    var tensor = Tensor(repeating: 0, shape: shape)
    tensor.withMutableScalars { span in
      for index in span.indices { span[index] = Float((2 * generator.uniform() - 1) * bound) }
    }
    return tensor
  }

  /// Normal with mean 0, by the transform of Box and Muller (1958).
  static func normal(_ shape: [Int], deviation: Double, using generator: inout InitialGenerator) -> Tensor {
    var tensor = Tensor(repeating: 0, shape: shape)
    tensor.withMutableScalars { span in
      for index in span.indices {
        let radius = (-2 * log(1 - generator.uniform())).squareRoot()
        span[index] = Float(deviation * radius * cos(2 * Double.pi * generator.uniform()))
      }
    }
    return tensor
  }
}
