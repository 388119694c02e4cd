/// Labels as they can be shown: tokens come from files and may hold anything.
enum LabelText {
  /// On one line, with nothing that a terminal or an XML parser acts on: controls, separators and directions escaped,
  /// spaces at the ends as ␣. Joiners stay, which scripts and emoji need.
  static func printable(_ label: String) -> String {
    var text = ""
    for scalar in label.unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{200C}", "\u{200D}": text.unicodeScalars.append(scalar)
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
          text += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: text.unicodeScalars.append(scalar)
        }
      }
    }
    let inner = text.drop { $0 == " " }
    let leading = text.count - inner.count
    let trailing = inner.reversed().prefix { $0 == " " }.count
    return String(repeating: "␣", count: leading) + inner.dropLast(trailing) + String(repeating: "␣", count: trailing)
  }

  /// The text itself, or as much of it as fits into `width` columns with … at its end.
  static func cut(_ text: String, to width: Int) -> String {
    guard DisplayWidth.of(text) > width else { return text }
    guard width > 0 else { return "" }
    var result = ""
    var used = 0
    for character in text {
      let own = DisplayWidth.of(character)
      if used + own > width - 1 { break }
      result.append(character)
      used += own
    }
    return result + "…"
  }

  enum Alignment { case left, centre, right }

  /// The text cut and filled with spaces to exactly `width` columns.
  static func padded(_ text: String, to width: Int, _ alignment: Alignment) -> String {
    let text = cut(text, to: width)
    let space = width - DisplayWidth.of(text)
    let before =
      switch alignment {
      case .left: 0
      case .centre: space / 2
      case .right: space
      }
    return String(repeating: " ", count: before) + text + String(repeating: " ", count: space - before)
  }
}
