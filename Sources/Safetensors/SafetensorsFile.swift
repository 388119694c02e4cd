/// A safetensors file, open for reading.
///
/// The file is mapped into memory, not read: opening costs the header, and a tensor's pages are loaded when touched.
/// The mapping lives as long as the file value or any tensor taken from it. Values may be shared between threads.
///
/// The file must not be shortened in place meanwhile: the system then ends the process when a lost page is touched.
/// Replacing it by another file, as `SafetensorsWriter` does, is safe.
public struct SafetensorsFile: Sendable {
  /// Free text by key, from the header's `__metadata__`; empty where the header has none.
  public let metadata: [String: String]

  /// The path as it was given.
  public let path: String

  private let header: Header
  // By UTF-8: Swift's own comparison takes canonically equivalent names, which a file may hold, for the same.
  private let indices: [[UInt8]: Int]
  private let mapping: MappedFile

  /// Opens the regular file at `path` and checks its header: JSON, types, shapes, byte count = product(shape) ·
  /// element size, and data covered without overlap or hole. Fields of a tensor's entry beyond `dtype`, `shape` and
  /// `data_offsets` are ignored, as the reference implementation does.
  ///
  /// Stricter than the reference implementation: the header begins with `{` and ends in nothing but spaces, no object
  /// repeats a key, `__metadata__` is an object, a shape has at most 64 axes, and its byte count with zero extents
  /// left out fits into `Int`.
  ///
  /// - Throws: `SafetensorsError` that names `path` when the file cannot be opened, is not a regular file (a pipe is
  ///   refused without waiting), or does not follow the format.
  public init(contentsOf path: String) throws(SafetensorsError) {
    do throws(SafetensorsError) {
      mapping = try MappedFile(path: path)
      header = try Header(decoding: mapping.bytes)
    } catch {
      throw error.inFile(path)
    }
    self.path = path
    metadata = header.metadata
    var indices: [[UInt8]: Int] = [:]
    indices.reserveCapacity(header.entries.count)
    for (index, entry) in header.entries.enumerated() {
      indices[Array(entry.name.utf8)] = index
    }
    self.indices = indices
  }

  /// The names of all tensors, in the order of their data in the file.
  public var names: [String] {
    header.entries.map(\.name)
  }

  /// Whether the file has a tensor whose name has the same UTF-8 as `name`.
  public func contains(_ name: String) -> Bool {
    indices[Array(name.utf8)] != nil
  }

  /// The tensor whose name has the same UTF-8 as `name`. Copies no data.
  ///
  /// - Throws: `SafetensorsError` with reason `noSuchTensor`.
  public func tensor(named name: String) throws(SafetensorsError) -> SafetensorsTensor {
    guard let index = indices[Array(name.utf8)] else {
      throw SafetensorsError(.noSuchTensor, path: path, tensor: name)
    }
    let entry = header.entries[index]
    return SafetensorsTensor(
      name: entry.name, type: entry.type, shape: entry.shape, path: path, mapping: mapping,
      offset: header.dataOffset + entry.begin, byteCount: entry.end - entry.begin)
  }
}
