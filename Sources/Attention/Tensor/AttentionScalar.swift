/// The element types that the kernels read and write.
public enum AttentionScalarType: String, Sendable, CaseIterable {
  /// `Float`, computed in `Float`.
  case float32
  /// `Double`, computed in `Double`.
  case float64
  /// `Float16`, computed in `Float`.
  case float16
  /// ``BFloat16``, computed in `Float`.
  case bfloat16
}

/// A type that queries, keys, values and outputs may be stored in.
///
/// The kernels know the four types that conform here; conforming another one is an error at run time.
public protocol AttentionScalar: Sendable, BitwiseCopyable {
  /// The type that scores, sums and the log-sum-exp are computed in: `Double` for `Double`, else `Float`.
  associatedtype Compute: AttentionScalar & BinaryFloatingPoint

  /// What the kernels call this type.
  static var scalarType: AttentionScalarType { get }
}

extension Float: AttentionScalar {
  public typealias Compute = Float
  public static var scalarType: AttentionScalarType { .float32 }
}

extension Double: AttentionScalar {
  public typealias Compute = Double
  public static var scalarType: AttentionScalarType { .float64 }
}

extension BFloat16: AttentionScalar {
  public typealias Compute = Float
  public static var scalarType: AttentionScalarType { .bfloat16 }
}

// Swift has no Float16 on Intel Macs.
#if !(os(macOS) && arch(x86_64))
  extension Float16: AttentionScalar {
    public typealias Compute = Float
    public static var scalarType: AttentionScalarType { .float16 }
  }
#endif
