import Attention
import Foundation

/// What the figures were measured on.
struct Machine: Encodable {
  let processor: String
  let cores: Int
  let architecture: String
  let system: String
  /// The instruction sets that the library has kernels for and this machine can run, best first.
  let instructionSets: [String]

  static let current = Machine(
    processor: processorName(), cores: ProcessInfo.processInfo.activeProcessorCount, architecture: architectureName,
    system: ProcessInfo.processInfo.operatingSystemVersionString,
    instructionSets: AttentionSystem.instructionSets.filter(\.isAvailable).map(\.name))

  /// Such as `Intel(R) Xeon(R) Processor, 2 cores`.
  var title: String { "\(processor), \(cores) \(cores == 1 ? "core" : "cores")" }
}

/// What was measured, and what it was built with.
struct Versions: Encodable {
  let attention: String
  let swift: String

  static let current = Versions(attention: AttentionSystem.version, swift: swiftVersion)
}

#if arch(x86_64)
  private let architectureName = "x86_64"
#elseif arch(arm64)
  private let architectureName = "arm64"
#else
  private let architectureName = "other"
#endif

// A program can ask for its compiler's version only by comparison.
#if compiler(>=6.5)
  private let swiftVersion = "6.5 or later"
#elseif compiler(>=6.4)
  private let swiftVersion = "6.4"
#elseif compiler(>=6.3)
  private let swiftVersion = "6.3"
#else
  private let swiftVersion = "6.2"
#endif

private func processorName() -> String {
  #if canImport(Darwin)
    var size = 0
    guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else { return "unknown" }
    var name = [UInt8](repeating: 0, count: size)
    guard sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
  #else
    let lines = ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "").split(separator: "\n")
    // x86 has the first, some ARM boards the others.
    for key in ["model name", "Model", "Hardware"] {
      guard let line = lines.first(where: { $0.hasPrefix(key) }), let colon = line.firstIndex(of: ":") else { continue }
      return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return "unknown \(architectureName) processor"
  #endif
}
