/// A tensor of a safetensors file: its description, and its bytes where the file is mapped.
///
/// Elements are row-major (the last axis is contiguous) and little-endian. The tensor keeps the mapping alive.
public struct SafetensorsTensor: Sendable {
  /// The name in the file.
  public let name: String
  /// The type of the elements.
  public let type: SafetensorsType
  /// The extent of each axis; empty for a scalar, which has one element.
  public let shape: [Int]

  /// The number of bytes: product(shape) · `type.byteCount`.
  public let byteCount: Int

  let path: String
  private let mapping: MappedFile
  private let offset: Int

  init(
    name: String, type: SafetensorsType, shape: [Int], path: String, mapping: MappedFile, offset: Int, byteCount: Int
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    self.path = path
    self.mapping = mapping
    self.offset = offset
    self.byteCount = byteCount
  }

  /// The number of elements: product(shape).
  public var count: Int {
    byteCount / type.byteCount
  }

  /// What lies at `index` of the first axis, without that axis. Copies no data. There must be such an index.
  package func slice(_ index: Int) -> SafetensorsTensor {
    precondition(!shape.isEmpty && 0..<shape[0] ~= index)
    let size = byteCount / shape[0]
    return SafetensorsTensor(
      name: name, type: type, shape: Array(shape.dropFirst()), path: path, mapping: mapping,
      offset: offset + index * size, byteCount: size)
  }

  /// Calls `body` with the tensor's `byteCount` bytes, without a copy. They are valid during the call only, and need
  /// not be aligned for the type: other programs' files may begin anywhere. Use `loadUnaligned(fromByteOffset:as:)`.
  ///
  /// - Throws: what `body` throws.
  public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(mapping) {} }
    return try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[offset..<offset + byteCount]))
  }
}
