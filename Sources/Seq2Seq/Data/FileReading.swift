import Foundation

/// What the system refused to do, and why.
struct FileFailure: Error {
  var operation: String
  var message: String
}

/// All bytes of a file or pipe.
func readFile(_ path: String) throws(FileFailure) -> [UInt8] {
  func failure(_ operation: String) -> FileFailure {
    FileFailure(operation: operation, message: String(cString: strerror(errno)))
  }
  guard let file = fopen(path, "rb") else { throw failure("open") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  let size = buffer.count
  while true {
    let count = fread(&buffer, 1, size, file)
    if count < size, ferror(file) != 0 { throw failure("read") }
    bytes += buffer[..<count]
    if count < size { return bytes }
  }
}
