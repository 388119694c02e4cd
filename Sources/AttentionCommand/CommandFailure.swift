import Attention
import Safetensors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Exit statuses, those of sysexits.h.
enum ExitStatus {
  static let usage: Int32 = 64
  static let badInput: Int32 = 65
  static let cannotCreate: Int32 = 73
}

/// Why a command ends early: a status and one line.
struct CommandFailure: Error {
  var status: Int32
  var message: String

  static func usage(_ message: String) -> CommandFailure { CommandFailure(status: ExitStatus.usage, message: message) }
  static func badInput(_ message: String) -> CommandFailure {
    CommandFailure(status: ExitStatus.badInput, message: message)
  }
  static func badInput(_ error: SafetensorsError) -> CommandFailure { .badInput(error.description) }
  static func badInput(_ file: String, _ error: AttentionError) -> CommandFailure {
    .badInput("\(file): \(error.message)")
  }
}

/// Writes to stderr, unbuffered.
func standardError(_ text: String) {
  var bytes = ArraySlice(text.utf8)
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    if written <= 0 { return }
    bytes = bytes.dropFirst(written)
  }
}

/// Writes to stdout, the whole text or an error.
func writeStandardOutput(_ text: String) throws(SafetensorsError) {
  var bytes = ArraySlice(text.utf8)
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if written < 0 && errno == EINTR { continue }
    if written <= 0 { throw SafetensorsError(.system(operation: "write", code: errno), path: "stdout") }
    bytes = bytes.dropFirst(written)
  }
}

/// Text for one line of a terminal: controls, format characters and line separators escaped.
func oneLine(_ text: some StringProtocol) -> String {
  var line = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      line += "\\u{" + String(scalar.value, radix: 16) + "}"
    default:
      line.unicodeScalars.append(scalar)
    }
  }
  return line
}

/// Ends the process. (In a command's scope `exit` is ArgumentParser's.)
func terminate(_ status: Int32) -> Never { exit(status) }
