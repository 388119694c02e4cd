/// Where English is written with a space between two tokens, judged from the tokens before.
struct WordSpacing {
  /// Ends of words that are tokens of their own, in lower case with a straight apostrophe.
  static let clitics: Set<String> = ["'s", "'m", "'d", "'re", "'ve", "'ll", "n't"]

  private static let openers: Set<Unicode.Scalar> = [
    "(", "[", "{", "“", "‘", "«", "「", "『", "《", "（", "【", "$", "£", "€", "¥", "#", "@", "¿", "¡", "/",
  ]
  private static let closers: Set<Unicode.Scalar> = [
    ".", ",", "!", "?", ";", ":", ")", "]", "}", "”", "’", "»", "…", "%", "/", "」", "』", "》", "）", "】", "。", "，", "、",
    "？", "！", "；", "：",
  ]

  private enum Left { case nothing, opening, ideographic, word, other }

  private var left = Left.nothing
  private var insideDouble = false
  private(set) var insideSingle = false

  /// Whether a space is usual between the tokens taken so far and this one, which is taken.
  mutating func spaceBefore(_ token: String) -> Bool {
    let scalars = token.unicodeScalars
    guard let first = scalars.first, let last = scalars.last else { return false }
    let before = left
    let isSingle = scalars.count == 1
    var closes = Self.closers.contains(first) && scalars.allSatisfy { $0 == first }
    if isSingle, first == "\"" {
      closes = insideDouble
      insideDouble.toggle()
      left = insideDouble ? .opening : .other
    } else if isSingle, first == "'" {
      closes = insideSingle
      insideSingle.toggle()
      left = insideSingle ? .opening : .other
    } else if isSingle, Self.openers.contains(first) {
      left = .opening
    } else if last.isIdeographic || 0x3000...0x303F ~= last.value || 0xFF01...0xFF60 ~= last.value {
      left = .ideographic
    } else {
      left = last.isWordPart ? .word : .other
    }
    return switch before {
    case .nothing, .opening: false
    case .ideographic: !(closes || first.isIdeographic || (left == .ideographic && isSingle))
    case .word: !(closes || Self.isClitic(token))
    case .other: !closes
    }
  }

  static func isClitic(_ token: String) -> Bool {
    token.utf8.count <= 6 && clitics.contains(plain(token))
  }

  /// In lower case with straight apostrophes.
  static func plain(_ token: some StringProtocol) -> String {
    token.lowercased().unicodeScalars.map { $0 == "’" ? "'" : $0 }.string
  }
}
