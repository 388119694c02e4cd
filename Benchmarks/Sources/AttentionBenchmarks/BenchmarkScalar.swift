import Attention
import AttentionReference

/// An element type, and how its numbers go to the naive computation and come back.
protocol BenchmarkScalar: AttentionScalar {
  /// What the naive computation runs in: `Double` for `Double`, else `Float`.
  associatedtype Naive: NaiveScalar

  init(rounding number: Float)
  var naive: Naive { get }
}

/// A type that ``naiveAttention(queries:keys:values:shape:options:)`` is specialised for.
protocol NaiveScalar: BinaryFloatingPoint, Sendable {
  static func attention(
    queries: [Self], keys: [Self], values: [Self], shape: ReferenceShape, options: ReferenceOptions
  ) -> [Self]
}

extension Float: NaiveScalar {
  static func attention(
    queries: [Float], keys: [Float], values: [Float], shape: ReferenceShape, options: ReferenceOptions
  ) -> [Float] {
    naiveAttention(queries: queries, keys: keys, values: values, shape: shape, options: options).output
  }
}

extension Double: NaiveScalar {
  static func attention(
    queries: [Double], keys: [Double], values: [Double], shape: ReferenceShape, options: ReferenceOptions
  ) -> [Double] {
    naiveAttention(queries: queries, keys: keys, values: values, shape: shape, options: options).output
  }
}

extension Float: BenchmarkScalar {
  init(rounding number: Float) { self = number }
  var naive: Float { self }
}

extension Double: BenchmarkScalar {
  init(rounding number: Float) { self = Double(number) }
  var naive: Double { self }
}

extension BFloat16: BenchmarkScalar {
  init(rounding number: Float) { self.init(number) }
  var naive: Float { Float(self) }
}

#if !(os(macOS) && arch(x86_64))
  extension Float16: BenchmarkScalar {
    init(rounding number: Float) { self = Float16(number) }
    var naive: Float { Float(self) }
  }
#endif
