import Foundation
import Safetensors

/// Whether a file could be written, found out before the work is done for which it is meant.
func checkWritable(_ path: String) throws(CommandFailure) {
  func failure(_ code: Int32) -> CommandFailure {
    CommandFailure(
      status: ExitStatus.cannotCreate, message: "\(path): cannot write: \(String(cString: strerror(code)))")
  }
  var status = stat()
  if stat(path, &status) == 0 {
    if status.st_mode & S_IFMT == S_IFDIR { throw failure(EISDIR) }
    // A regular file is replaced, which takes the right to write its folder.
    if status.st_mode & S_IFMT != S_IFREG {
      if access(path, W_OK) != 0 { throw failure(errno) }
      return
    }
  } else if errno != ENOENT || path.isEmpty || path.hasSuffix("/") {
    throw failure(errno == 0 ? ENOENT : errno)
  }
  if access(folder(of: path), W_OK | X_OK) != 0 { throw failure(errno) }
}

/// Where the last component of a path lies. (Foundation's `deletingLastPathComponent` crashes on a name of one letter.)
private func folder(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}

/// Whether the path names a device or a pipe.
func isDevice(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
}

/// Writes a text, whole or not at all.
func writeFile(_ path: String, _ text: String) throws(CommandFailure) {
  do throws(SafetensorsError) {
    try replaceFile(at: path, with: Array(text.utf8))
  } catch {
    throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
  }
}
