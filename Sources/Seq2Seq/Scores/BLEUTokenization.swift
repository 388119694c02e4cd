/// How BLEU divides a sentence into words. Scores are comparable only under the same one.
public enum BLEUTokenization: String, Sendable, CaseIterable {
  /// Of NIST's script mteval-v13a: signs of ASCII apart, full stops and commas unless between digits, hyphens behind
  /// digits; `&quot;` and the like are the signs they stand for. The usual one for languages with spaces.
  case mteval13a = "13a"
  /// What stands between white space.
  case none
  /// Single characters: for languages without spaces.
  case characters = "char"
  /// Of mteval-v14: all of Unicode's signs apart, punctuation unless between digits.
  case international = "intl"
  /// Chinese characters apart, the rest as in 13a.
  case chinese = "zh"

  /// The words of a sentence.
  public func words(of text: String) -> [String] { words(of: Array(text.unicodeScalars)).map(\.string) }

  func words(of text: ScoreText) -> [ScoreText] {
    let text = Array(text.withoutTrailingSpace)
    return switch self {
    case .mteval13a: Self.words13a(text)
    case .none: text.scoredWords
    case .characters: text.filter { !$0.dividesScoredWords }.map { [$0] }
    case .international: Self.internationalWords(text)
    case .chinese: Self.chineseWords(text)
    }
  }

  private static func words13a(_ text: ScoreText) -> [ScoreText] {
    var text = text.replacing("<skipped>", with: "").replacing("-\n", with: "").replacing("\n", with: " ")
    if text.contains("&") {
      text = text.replacing("&quot;", with: "\"").replacing("&amp;", with: "&").replacing("&lt;", with: "<")
        .replacing("&gt;", with: ">")
    }
    return withSignsApart([" "] + text + [" "]).scoredWords
  }

  /// The rules of 13a for European languages, each over the whole text after the one before.
  private static func withSignsApart(_ text: ScoreText) -> ScoreText {
    func isDigit(_ scalar: Unicode.Scalar) -> Bool { 0x30...0x39 ~= scalar.value }
    func isPoint(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }
    return text.setApart(where: isSign)
      .replacingPairs(where: { !isDigit($0) && isPoint($1) }, with: { [$0, " ", $1, " "] })
      .replacingPairs(where: { isPoint($0) && !isDigit($1) }, with: { [" ", $0, " ", $1] })
      .replacingPairs(where: { isDigit($0) && $1 == "-" }, with: { [$0, " ", $1, " "] })
  }

  /// Signs of ASCII that are always apart: all but the apostrophe, comma, hyphen and full stop.
  private static func isSign(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x26, 0x28...0x2B, 0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  private static func internationalWords(_ text: ScoreText) -> [ScoreText] {
    text.replacingPairs(where: { !$0.isAnyNumber && $1.isAnyPunctuation }, with: { [$0, " ", $1, " "] })
      .replacingPairs(where: { $0.isAnyPunctuation && !$1.isAnyNumber }, with: { [" ", $0, " ", $1] })
      .setApart(where: \.isAnySymbol).scoredWords
  }

  private static func chineseWords(_ text: ScoreText) -> [ScoreText] {
    withSignsApart(ScoreText(text.drop(while: \.dividesScoredWords)).setApart(where: isChinese)).scoredWords
  }

  /// sacreBLEU's ranges as they work: its two planes beyond U+FFFF are written with four digits, and so 2001–2A6D and
  /// 2F81–2FA1 count instead.
  private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x2001...0x2A6D, 0x2E80...0x2FDF, 0x2FF0...0x303F, 0x3100...0x312F, 0x31A0...0x31BF, 0x31C0...0x31EF,
      0x3200...0x33FF, 0x3400...0x4DB5, 0x4E00...0x9FBB, 0xF900...0xFA2D, 0xFA30...0xFA6A, 0xFA70...0xFAD9,
      0xFE10...0xFE1F, 0xFE30...0xFE4F, 0xFF00...0xFFEF:
      true
    default: false
    }
  }
}

extension Unicode.Scalar {
  fileprivate var isAnyNumber: Bool {
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }

  fileprivate var isAnyPunctuation: Bool {
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }

  fileprivate var isAnySymbol: Bool {
    switch properties.generalCategory {
    case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: true
    default: false
    }
  }
}
