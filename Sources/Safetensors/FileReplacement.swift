#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes `bytes` to `path`, creating or replacing the file, whole or not at all as ``SafetensorsWriter/write(to:)``
/// does.
package func replaceFile(at path: String, with bytes: [UInt8]) throws(SafetensorsError) {
  do throws(SafetensorsError) {
    try replaceFile(at: path) { (descriptor) throws(SafetensorsError) in try writeAll(bytes, to: descriptor) }
  } catch {
    throw error.inFile(path)
  }
}

/// Runs `fill` on a descriptor open for writing, so that `path` has either what `fill` wrote or what it had before.
///
/// Devices and pipes have no such choice and are written directly. Errors of `fill` come through.
func replaceFile(
  at path: String, fill: (Int32) throws(SafetensorsError) -> Void
) throws(SafetensorsError) {
  try checkPath(path)
  var status = stat()
  let exists = stat(path, &status) == 0
  if !exists, errno != ENOENT { throw systemError("examine") }
  let kind = exists ? FileKind(mode: status.st_mode) : .regular
  switch kind {
  case .regular:
    try replaceRegularFile(
      at: try followLinks(from: path), permissions: exists ? status.st_mode & 0o777 : nil, fill: fill)
  case .characterDevice, .pipe:
    try writeInPlace(path, fill: fill)
  case .directory, .blockDevice, .socket, .symbolicLink, .other:
    throw SafetensorsError(.notAFile(kind: kind.description))
  }
}

/// Writes the whole of `bytes`, however many calls that takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SafetensorsError) {
  // Larger single writes fail on macOS and are cut short on Linux.
  let largestWrite = 1 << 30
  try bytes.withUnsafeBufferPointer { (bytes) throws(SafetensorsError) in
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeBufferPointer(rebasing: rest.prefix(largestWrite))
      let written = retryingInterrupted { write(descriptor, piece.baseAddress, piece.count) }
      guard written >= 0 else { throw systemError("write") }
      guard written > 0 else { throw SafetensorsError(.system(operation: "write", code: EIO)) }
      rest = rest.dropFirst(written)
    }
  }
}

private func replaceRegularFile(
  at target: String, permissions: mode_t?, fill: (Int32) throws(SafetensorsError) -> Void
) throws(SafetensorsError) {
  let (temporary, descriptor) = try createTemporaryFile(in: directoryPrefix(of: target))
  do throws(SafetensorsError) {
    do throws(SafetensorsError) {
      try fill(descriptor)
      if let permissions, fchmod(descriptor, permissions) != 0 { throw systemError("set permissions") }
      if retryingInterrupted({ fsync(descriptor) }) != 0 { throw systemError("flush") }
    } catch {
      close(descriptor)
      throw error
    }
    // Not repeated when interrupted: the descriptor is gone either way.
    if close(descriptor) != 0, errno != EINTR { throw systemError("close") }
    if rename(temporary, target) != 0 { throw systemError("rename") }
  } catch {
    unlink(temporary)
    throw error
  }
}

private func createTemporaryFile(in prefix: String) throws(SafetensorsError) -> (path: String, descriptor: Int32) {
  while true {
    let path = prefix + ".safetensors-" + String(UInt64.random(in: 0...UInt64.max), radix: 36) + ".tmp"
    let descriptor = retryingInterrupted { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    if descriptor >= 0 { return (path, descriptor) }
    if errno != EEXIST { throw systemError("create a file") }
  }
}

private func writeInPlace(
  _ path: String, fill: (Int32) throws(SafetensorsError) -> Void
) throws(SafetensorsError) {
  // O_NONBLOCK: opening a pipe that nobody reads fails instead of waiting. Writing then waits as usual.
  let descriptor = retryingInterrupted { open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
  guard descriptor >= 0 else { throw systemError("open") }
  do throws(SafetensorsError) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) == 0 else { throw systemError("open") }
    try fill(descriptor)
  } catch {
    close(descriptor)
    throw error
  }
  if close(descriptor) != 0, errno != EINTR { throw systemError("close") }
}

/// The path behind the symbolic links that `path` may be, existing or not. `realpath` would refuse a link to a file
/// that is yet to be created.
private func followLinks(from path: String) throws(SafetensorsError) -> String {
  var path = path
  for _ in 0..<40 {
    var status = stat()
    guard lstat(path, &status) == 0, FileKind(mode: status.st_mode) == .symbolicLink else { return path }
    let target = try readLink(path)
    path = target.hasPrefix("/") ? target : directoryPrefix(of: path) + target
  }
  throw SafetensorsError(.system(operation: "follow symbolic links", code: ELOOP))
}

private func readLink(_ path: String) throws(SafetensorsError) -> String {
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
  let count = buffer.withUnsafeMutableBytes { bytes in
    readlink(path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
  }
  guard count >= 0 else { throw systemError("read the symbolic link") }
  return String(decoding: buffer[..<count], as: UTF8.self)
}

/// What precedes the last component of `path`, with its slash; empty for a bare name.
private func directoryPrefix(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
  return String(path[...slash])
}
