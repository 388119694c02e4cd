extension StringProtocol {
  /// The text on one line: controls, format characters and line separators escaped, cut behind `limit` characters.
  func printable(limit: Int = 120) -> String {
    var line = ""
    var count = 0
    for scalar in unicodeScalars {
      guard count < limit else { return line + "…" }
      count += 1
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
        line += "\\u{" + String(scalar.value, radix: 16) + "}"
      default:
        line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  /// `printable` within double quotes.
  var quoted: String {
    "\"" + printable() + "\""
  }
}
