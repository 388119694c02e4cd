import Foundation

/// The machine, by name.
enum Machine {
  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  static var memoryBytes: UInt64 { ProcessInfo.processInfo.physicalMemory }

  static var system: String {
    var names = utsname()
    uname(&names)
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(text(names.sysname)) \(text(names.machine))"
  }

  static var processor: String {
    #if canImport(Darwin)
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
      let line = lines.first { $0.hasPrefix("model name") }
      return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    #endif
  }

  /// The largest resident size that this process had while `body` ran, beyond what it had before, in bytes. Only Linux
  /// can forget an earlier peak; elsewhere growth below it reads as 0.
  static func residentGrowth<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) -> Int {
    forgetPeak()
    let before = peakResidentBytes
    try body()
    return max(0, peakResidentBytes - before)
  }

  private static func forgetPeak() {
    #if os(Linux)
      let file = open("/proc/self/clear_refs", O_WRONLY)
      guard file >= 0 else { return }
      _ = write(file, "5", 1)
      close(file)
    #endif
  }

  private static var peakResidentBytes: Int {
    #if os(Linux)
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
      let fields = status.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace) ?? []
      return fields.count > 1 ? (Int(fields[1]) ?? 0) << 10 : 0
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}

/// Indented JSON with sorted keys.
func encodeJSON(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  // JSON has no numbers for these; differences of results that overflowed are infinite.
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// A number with three significant digits and a unit of 1,000s, such as `12.3 GFLOP`.
func scaled(_ number: Double, _ unit: String) -> String {
  var value = number
  for prefix in ["", "k", "M", "G", "T"] {
    if value < 1000 || prefix == "T" {
      return "\(prefix.isEmpty && value == value.rounded() ? String(Int(value)) : significant(value)) \(prefix)\(unit)"
    }
    value /= 1000
  }
  return ""
}

/// Bytes in KiB, MiB or GiB.
func bytesText(_ bytes: Int) -> String {
  for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes >= 1 << shift {
    return "\(significant(Double(bytes) / Double(1 << shift))) \(unit)"
  }
  return "\(bytes) B"
}

/// Three significant digits.
func significant(_ value: Double) -> String { String(format: value.magnitude >= 100 ? "%.0f" : "%.3g", value) }
