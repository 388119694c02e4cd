#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Lines of stdin, some at a time.
struct LineReader {
  private var buffer: [UInt8] = []
  /// Where the next line begins in `buffer`.
  private var start = 0
  /// How far `buffer` holds no line feed, from `start`.
  private var searched = 0
  private var isAtEnd = false
  /// The number of the line read last.
  private(set) var line = 0

  /// The next lines without their ends, LF or CRLF: as many as there are, at most `count` of them, at least one; none
  /// at the end. Waits for the first line only, so that what stands at the other end of a pipe gets its answer.
  ///
  /// Where a line is not UTF-8 those before it come first, then the failure.
  mutating func lines(upTo count: Int) throws(CommandFailure) -> [String] {
    var lines: [String] = []
    while lines.count < count {
      guard let end = try endOfLine(waiting: lines.isEmpty) else { break }
      var bytes = buffer[start..<end]
      if bytes.last == 0x0D { bytes.removeLast() }
      // A byte order mark before the text is not part of it.
      if line == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        if !lines.isEmpty { return lines }
        throw .badInput("stdin: line \(line + 1) is not UTF-8")
      }
      lines.append(text)
      line += 1
      start = min(end + 1, buffer.count)
      searched = start
    }
    return lines
  }

  /// Where the line at `start` ends; nil when there is none or, unless `waiting`, when it has not all arrived.
  private mutating func endOfLine(waiting: Bool) throws(CommandFailure) -> Int? {
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) { return end }
      searched = buffer.count
      if isAtEnd { return start < buffer.count ? buffer.count : nil }
      if !waiting, !Self.hasMore { return nil }
      try fill()
    }
  }

  private mutating func fill() throws(CommandFailure) {
    buffer.removeSubrange(..<start)
    searched -= start
    start = 0
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(0, &block, block.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw .badInput("stdin: cannot read: \(String(cString: strerror(errno)))") }
      isAtEnd = count == 0
      buffer += block[..<count]
      return
    }
  }

  /// Whether reading would not wait.
  private static var hasMore: Bool {
    var request = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) != 0
  }
}
