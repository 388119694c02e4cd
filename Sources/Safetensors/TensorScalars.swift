extension SafetensorsTensor {
  /// All elements in row-major order, converted to `T`: exactly where `T` can hold the value, otherwise rounded to
  /// nearest, beyond its range to infinity. A NaN stays a NaN; `bool` gives 0 or 1.
  @_specialize(where T == Float)
  @_specialize(where T == Double)
  public func scalars<T: BinaryFloatingPoint & Sendable>(as target: T.Type = T.self) -> [T] {
    switch type {
    case .f64: T.self == Double.self ? copied() : map(Double.self) { T($0) }
    case .f32: T.self == Float.self ? copied() : map(Float.self) { T($0) }
    case .f16: map(UInt16.self) { T(Float(halfBitPattern: $0)) }
    case .bf16: map(UInt16.self) { T(Float(bitPattern: UInt32($0) << 16)) }
    case .i64: map(Int64.self) { T($0) }
    case .i32: map(Int32.self) { T($0) }
    case .i16: map(Int16.self) { T($0) }
    case .i8: map(Int8.self) { T($0) }
    case .u64: map(UInt64.self) { T($0) }
    case .u32: map(UInt32.self) { T($0) }
    case .u16: map(UInt16.self) { T($0) }
    case .u8: map(UInt8.self) { T($0) }
    case .bool: map(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  /// All elements in row-major order; `bool` gives 0 or 1.
  ///
  /// - Throws: `SafetensorsError` with reason `notIntegers` for floating-point types, `integerTooLarge` for the first
  ///   element beyond `Int.max`.
  public func integers() throws(SafetensorsError) -> [Int] {
    switch type {
    case .f64, .f32, .f16, .bf16: throw SafetensorsError(.notIntegers(type: type), path: path, tensor: name)
    case .i64: return map(Int64.self) { Int($0) }
    case .i32: return map(Int32.self) { Int($0) }
    case .i16: return map(Int16.self) { Int($0) }
    case .i8: return map(Int8.self) { Int($0) }
    case .u32: return map(UInt32.self) { Int($0) }
    case .u16: return map(UInt16.self) { Int($0) }
    case .u8: return map(UInt8.self) { Int($0) }
    case .bool: return map(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .u64:
      let values = map(UInt64.self) { $0 }
      if let index = values.firstIndex(where: { $0 > UInt64(Int.max) }) {
        throw SafetensorsError(.integerTooLarge(value: values[index], index: index), path: path, tensor: name)
      }
      return values.map { Int($0) }
    }
  }

  /// The elements as they are stored. `T` must be the tensor's own type.
  @inline(__always)
  private func copied<T>() -> [T] {
    withUnsafeBytes { bytes in
      Array(unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        initialized = count
      }
    }
  }

  /// The elements, loaded as `Stored` and converted one by one. `Stored` must have the size of the tensor's type.
  @inline(__always)
  private func map<Stored: BitwiseCopyable, Result>(
    _ stored: Stored.Type, _ convert: (Stored) -> Result
  ) -> [Result] {
    withUnsafeBytes { bytes in
      Array(unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
          let value = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
          buffer.initializeElement(at: index, to: convert(value))
        }
        initialized = count
      }
    }
  }
}
