#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The system's text for an `errno` value.
func systemMessage(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// The error of a system call that has just failed. Must be called before anything else can change `errno`.
func systemError(_ operation: String) -> SafetensorsError {
  SafetensorsError(.system(operation: operation, code: errno))
}

/// Repeats a system call for as long as a signal interrupts it.
func retryingInterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR {
      return result
    }
  }
}

/// What a path or descriptor refers to.
enum FileKind: Equatable {
  case regular, directory, pipe, characterDevice, blockDevice, socket, symbolicLink, other

  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .directory
    case S_IFIFO: self = .pipe
    case S_IFCHR: self = .characterDevice
    case S_IFBLK: self = .blockDevice
    case S_IFSOCK: self = .socket
    case S_IFLNK: self = .symbolicLink
    default: self = .other
    }
  }

  /// The kind with its article, for messages.
  var description: String {
    switch self {
    case .regular: "a regular file"
    case .directory: "a directory"
    case .pipe: "a pipe"
    case .characterDevice: "a character device"
    case .blockDevice: "a block device"
    case .socket: "a socket"
    case .symbolicLink: "a symbolic link"
    case .other: "something else"
    }
  }
}

/// Throws for an empty path, and for one that the system would cut at a NUL character.
func checkPath(_ path: String) throws(SafetensorsError) {
  if path.isEmpty {
    throw SafetensorsError(.system(operation: "open", code: ENOENT))
  }
  if path.utf8.contains(0) {
    throw SafetensorsError(.pathContainsNUL)
  }
}
