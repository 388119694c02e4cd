/// Collects tensors and writes them as one safetensors file, whole or not at all.
///
/// Equal contents give equal bytes, whatever the order in which they were added. Tensors lie by descending alignment
/// of their types, then by the UTF-8 of their names, and the data begins at a multiple of 8: all are aligned. That is
/// the layout of the reference implementation.
public struct SafetensorsWriter: Sendable {
  private struct Item: Sendable {
    let name: String
    let type: SafetensorsType
    let shape: [Int]
    let bytes: [UInt8]
  }

  private var items: [Item] = []
  private var names: Set<[UInt8]> = []
  private let metadata: [String: String]

  /// A file without tensors yet. `metadata` is free text by key, for the header's `__metadata__`.
  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds a tensor from its elements' bytes: row-major, little-endian, product(shape) · `type.byteCount` of them.
  /// An empty shape makes a scalar with one element.
  ///
  /// - Throws: `SafetensorsError` that names the tensor, with reason `nameInUse`, `reservedName` (`__metadata__`),
  ///   `tooManyAxes` (more than 64), `negativeExtent`, `shapeOverflow` or `byteCountMismatch`. Nothing is added then.
  public mutating func add(
    _ name: String, type: SafetensorsType, shape: [Int], bytes: [UInt8]
  ) throws(SafetensorsError) {
    try check(name, type: type, shape: shape, byteCount: bytes.count)
    names.insert(Array(name.utf8))
    items.append(Item(name: name, type: type, shape: shape, bytes: bytes))
  }

  /// Adds a tensor from a copy of `bytes`. Contract and errors as for an array of bytes.
  public mutating func add(
    _ name: String, type: SafetensorsType, shape: [Int], bytes: UnsafeRawBufferPointer
  ) throws(SafetensorsError) {
    try check(name, type: type, shape: shape, byteCount: bytes.count)
    try add(name, type: type, shape: shape, bytes: Array(bytes))
  }

  /// Adds an `f32` tensor from product(shape) row-major elements. Errors as for bytes.
  public mutating func add(_ name: String, _ scalars: [Float], shape: [Int]) throws(SafetensorsError) {
    try add(name, type: .f32, scalars: scalars, shape: shape)
  }

  /// Adds an `f64` tensor from product(shape) row-major elements. Errors as for bytes.
  public mutating func add(_ name: String, _ scalars: [Double], shape: [Int]) throws(SafetensorsError) {
    try add(name, type: .f64, scalars: scalars, shape: shape)
  }

  /// Adds a `u8` tensor from product(shape) row-major elements. Errors as for bytes.
  public mutating func add(_ name: String, _ scalars: [UInt8], shape: [Int]) throws(SafetensorsError) {
    try add(name, type: .u8, shape: shape, bytes: scalars)
  }

  /// Adds an `i64` tensor from product(shape) row-major elements. Errors as for bytes.
  public mutating func add(_ name: String, _ scalars: [Int64], shape: [Int]) throws(SafetensorsError) {
    try add(name, type: .i64, scalars: scalars, shape: shape)
  }

  /// Adds a `bool` tensor, a byte of 0 or 1 for each of product(shape) row-major elements. Errors as for bytes.
  public mutating func add(_ name: String, _ scalars: [Bool], shape: [Int]) throws(SafetensorsError) {
    try add(name, type: .bool, shape: shape, bytes: scalars.map { $0 ? 1 : 0 })
  }

  /// Writes all tensors to `path`, creating or replacing the file.
  ///
  /// The bytes go to a temporary file in the same directory, are flushed to the disk, and take the place of `path` in
  /// one step; on any error the temporary file is removed and what was at `path` stays. A symbolic link is kept, and
  /// what it points to is written. A new file's permissions follow the umask, a replaced file's stay as they were.
  /// A character device or a pipe with a reader is written directly.
  ///
  /// - Throws: `SafetensorsError` that names `path`, with reason `system` (directory missing, disk full, …),
  ///   `notAFile`, `pathContainsNUL`, or `headerTooLong` (more than 100 000 000 bytes of names, shapes and metadata).
  public func write(to path: String) throws(SafetensorsError) {
    let ordered = items.sorted { left, right in
      if left.type != right.type { return left.type.alignmentRank > right.type.alignmentRank }
      return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
    do throws(SafetensorsError) {
      let header = try header(of: ordered).encoded()
      try replaceFile(at: path) { (descriptor) throws(SafetensorsError) in
        try writeAll(header, to: descriptor)
        for item in ordered {
          try writeAll(item.bytes, to: descriptor)
        }
      }
    } catch {
      throw error.inFile(path)
    }
  }

  private func header(of items: [Item]) -> Header {
    var header = Header(metadata: metadata)
    var offset = 0
    for item in items {
      let end = offset + item.bytes.count
      header.entries.append(
        Header.Entry(name: item.name, type: item.type, shape: item.shape, begin: offset, end: end))
      offset = end
    }
    return header
  }

  private func check(
    _ name: String, type: SafetensorsType, shape: [Int], byteCount: Int
  ) throws(SafetensorsError) {
    do throws(SafetensorsError) {
      guard name != Header.metadataKey else { throw SafetensorsError(.reservedName) }
      guard !names.contains(Array(name.utf8)) else { throw SafetensorsError(.nameInUse) }
      let expected = try type.byteCount(ofShape: shape)
      guard byteCount == expected else {
        throw SafetensorsError(.byteCountMismatch(type: type, shape: shape, expected: expected, found: byteCount))
      }
    } catch {
      throw error.ofTensor(name)
    }
  }

  private mutating func add<Scalar: BitwiseCopyable>(
    _ name: String, type: SafetensorsType, scalars: [Scalar], shape: [Int]
  ) throws(SafetensorsError) {
    try scalars.withUnsafeBufferPointer { (elements) throws(SafetensorsError) in
      try add(name, type: type, shape: shape, bytes: UnsafeRawBufferPointer(elements))
    }
  }
}
