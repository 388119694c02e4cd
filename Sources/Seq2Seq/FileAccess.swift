import Foundation

/// What the system refused to do, and why.
struct FileFailure: Error {
  var operation: String
  var message: String

  /// The failure of a call just made. Must be made before anything else can change `errno`.
  init(_ operation: String) {
    self.operation = operation
    message = String(cString: strerror(errno))
  }
}

/// All bytes of a file or pipe.
func readFile(_ path: String) throws(FileFailure) -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw FileFailure("open") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  let size = buffer.count
  while true {
    let count = fread(&buffer, 1, size, file)
    if count < size, ferror(file) != 0 { throw FileFailure("read") }
    bytes += buffer[..<count]
    if count < size { return bytes }
  }
}

/// Gives the file these bytes, or leaves it as it was. Links are followed; devices and pipes are written directly.
func replaceFile(_ path: String, with bytes: [UInt8]) throws(FileFailure) {
  var target = path
  if let resolved = realpath(path, nil) {
    target = String(cString: resolved)
    free(resolved)
  }
  var status = stat()
  let exists = stat(target, &status) == 0
  if exists, status.st_mode & S_IFMT != S_IFREG { return try writeFile(target, bytes) }
  let temporary = target + "." + String(UInt64.random(in: 0...UInt64.max), radix: 36) + ".tmp"
  do throws(FileFailure) {
    try writeFile(temporary, bytes)
    if exists, chmod(temporary, status.st_mode & 0o777) != 0 { throw FileFailure("set permissions") }
    if rename(temporary, target) != 0 { throw FileFailure("rename") }
  } catch {
    unlink(temporary)
    throw error
  }
}

/// Writes bytes to what the path names, and to the disk.
private func writeFile(_ path: String, _ bytes: [UInt8]) throws(FileFailure) {
  guard let file = fopen(path, "wb") else { throw FileFailure("create") }
  let written = fwrite(bytes, 1, bytes.count, file) == bytes.count && fflush(file) == 0
  let failure = FileFailure("write")
  // Devices and pipes have nothing to flush: EINVAL.
  let flushed = fsync(fileno(file)) == 0 || errno == EINVAL || errno == ENOTSUP
  let unflushed = FileFailure("flush")
  let closed = fclose(file) == 0
  guard written else { throw failure }
  guard flushed else { throw unflushed }
  guard closed else { throw FileFailure("close") }
}
