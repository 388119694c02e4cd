import Foundation
import Safetensors
import Testing

/// A directory of its own, removed with everything in it when the value goes.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "safetensors-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String) -> String {
    path + "/" + name
  }

  /// Hidden files included.
  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  /// Stores `bytes` and gives the path.
  func store(_ bytes: [UInt8], as name: String = "file.safetensors") throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }
}

/// The bytes of the file at `path`.
func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// A file's bytes from its header and data; `length` replaces the true header length.
func fileBytes(header: [UInt8], data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Array($0) } + header + data
}

func fileBytes(header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  fileBytes(header: Array(header.utf8), data: data, length: length)
}

/// The JSON of a tensor's entry.
func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
  #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
}

/// The error that opening a file of these bytes throws; nil and a failed expectation when it does not.
func opening(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws -> SafetensorsError? {
  let directory = try TemporaryDirectory()
  let path = try directory.store(bytes)
  let error = #expect(throws: SafetensorsError.self, sourceLocation: sourceLocation) {
    try SafetensorsFile(contentsOf: path)
  }
  #expect(error?.path == path, sourceLocation: sourceLocation)
  #expect(error?.description.contains("\n") == false, sourceLocation: sourceLocation)
  return error
}

/// The error that opening a file with this header and `dataCount` zero bytes throws.
func opening(
  header: String, dataCount: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
) throws -> SafetensorsError? {
  try opening(
    fileBytes(header: header, data: [UInt8](repeating: 0, count: dataCount)), sourceLocation: sourceLocation)
}
