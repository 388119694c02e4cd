import Foundation

/// The peak of this process's resident memory.
enum ResidentMemory {
  /// Makes the present size the peak, where the system can (Linux); elsewhere the peak stays that of the whole life.
  static func resetPeak() {
    #if os(Linux)
      guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
      try? file.write(contentsOf: Data("5\n".utf8))
      try? file.close()
    #endif
  }

  /// Bytes; nil when the system does not tell.
  static func peakBytes() -> Int? {
    #if canImport(Darwin)
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : nil
    #else
      guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      return 1024 * kibibytes
    #endif
  }
}
