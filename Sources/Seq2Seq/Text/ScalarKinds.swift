extension Unicode.Scalar {
  /// White space, or one of the invisible spaces that text from the web holds.
  var isSpace: Bool { properties.isWhitespace || self == "\u{200B}" || self == "\u{FEFF}" }

  /// Of a script written without spaces between words: ideographs and kana.
  var isIdeographic: Bool {
    if value < 0x2E80 { return false }
    return properties.isIdeographic || 0x3005...0x3007 ~= value || 0x3041...0x30FF ~= value
      || 0x31F0...0x31FF ~= value || 0xFF66...0xFF9D ~= value
  }

  /// A letter of a script with spaces between its words.
  var isSpacedLetter: Bool {
    if value < 0x80 { return 0x61...0x7A ~= value | 0x20 }
    return switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: !isIdeographic
    default: false
    }
  }

  /// A sign that belongs to the one before it.
  var isMark: Bool {
    if value < 0x300 { return false }
    return switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }

  /// A digit or another number, ideographs apart.
  var isNumber: Bool {
    if value < 0x80 { return 0x30...0x39 ~= value }
    return switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: !isIdeographic
    default: false
    }
  }

  /// Part of a word of a script with spaces.
  var isWordPart: Bool { isSpacedLetter || isNumber || isMark }
}

extension Sequence<Unicode.Scalar> {
  var string: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: self)
    return String(view)
  }
}
