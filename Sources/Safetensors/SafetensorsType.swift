/// The type of a tensor's elements, spelled as in the header's `dtype`.
///
/// Elements are stored little-endian. The cases stand in the order of the reference implementation, by increasing
/// alignment: files are laid out from the last case to the first.
public enum SafetensorsType: String, Sendable, CaseIterable {
  /// A truth value in one byte: 0 is false; the library writes 1 for true and reads any other byte as true.
  case bool = "BOOL"
  /// An unsigned 8-bit integer.
  case u8 = "U8"
  /// A two's complement 8-bit integer.
  case i8 = "I8"
  /// A two's complement 16-bit integer.
  case i16 = "I16"
  /// An unsigned 16-bit integer.
  case u16 = "U16"
  /// IEEE 754 binary16.
  case f16 = "F16"
  /// bfloat16: the upper half of an IEEE 754 binary32.
  case bf16 = "BF16"
  /// A two's complement 32-bit integer.
  case i32 = "I32"
  /// An unsigned 32-bit integer.
  case u32 = "U32"
  /// IEEE 754 binary32.
  case f32 = "F32"
  /// IEEE 754 binary64.
  case f64 = "F64"
  /// A two's complement 64-bit integer.
  case i64 = "I64"
  /// An unsigned 64-bit integer.
  case u64 = "U64"

  /// The size of one element in bytes: 1, 2, 4 or 8.
  public var byteCount: Int {
    switch self {
    case .bool, .u8, .i8: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .f64, .i64, .u64: 8
    }
  }

  /// True for `f64`, `f32`, `f16` and `bf16`; false for integers and `bool`.
  public var isFloatingPoint: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    default: false
    }
  }

  /// The place in the order by alignment that the layout of a file follows.
  var alignmentRank: Int {
    Self.allCases.firstIndex(of: self)!
  }
}
