#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A regular file's bytes, mapped read-only until the last reference goes.
final class MappedFile: Sendable {
  // Safe to share: the pages are never written through this mapping, and are unmapped in deinit only.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// Maps the file at `path`; an empty file gives an empty buffer.
  init(path: String) throws(SafetensorsError) {
    try checkPath(path)
    // O_NONBLOCK: opening a pipe that nobody writes to must not wait. It does nothing to regular files.
    let descriptor = retryingInterrupted { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw systemError("open") }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("examine") }
    let kind = FileKind(mode: status.st_mode)
    guard kind == .regular else { throw SafetensorsError(.notAFile(kind: kind.description)) }
    guard let count = Int(exactly: status.st_size) else {
      throw SafetensorsError(.system(operation: "map", code: EFBIG))
    }
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw systemError("map")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
