import Foundation

/// Exit statuses, those of sysexits.h.
enum ExitStatus {
  static let usage: Int32 = 64
  static let badInput: Int32 = 65
  static let cannotCreate: Int32 = 73
}

/// Text for one line of a terminal: what would break or forge it is escaped.
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

/// Says on stderr in one line what is wrong, and ends the process.
func fail(_ status: Int32, _ message: some StringProtocol) -> Never {
  FileHandle.standardError.write(Data("sentence-embedding: \(oneLine(message))\n".utf8))
  exit(status)
}
