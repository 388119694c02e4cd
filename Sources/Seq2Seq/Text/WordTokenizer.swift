/// Words and punctuation, for English and other languages with spaces between words.
///
/// - A word is letters, marks and digits, with what joins them inside: `don't` (see below), `thirty-two`, `1,000.5`,
///   `7:45`, `a.m`. Each other sign is a token; `...` and `--` are one. An ideograph is a token.
/// - The ends `n't 's 'm 'd 're 've 'll` are tokens of their own: `don't` is `do` `n't`.
/// - Nothing but the width of spaces is lost. Where English would have a space between two tokens, and the text has
///   none, the token `￭` (U+FFED) says so; `▁` (U+2581) is a space where English would have none. Most sentences need
///   neither: `text(of:)` joins `"` `Hi` `,` `"` `he` `said` `.` as people write it. (The two signs themselves, in a
///   text, are written twice.)
///
/// In lower case, `text(of:)` gives the text in lower case.
public struct WordTokenizer: Sendable, Equatable, Codable {
  /// There is no space here though one is usual.
  static let joint = "\u{FFED}"
  /// There is a space here though none is usual.
  static let gap = "\u{2581}"

  /// Whether texts are put into lower case first.
  public var lowercased: Bool

  /// The tokenizer, by default of texts as they are.
  public init(lowercased: Bool = false) { self.lowercased = lowercased }

  /// A text's tokens; none is empty.
  public func tokens(of text: String) -> [String] {
    let scalars = Array((lowercased ? text.lowercased() : text).unicodeScalars)
    var tokens: [String] = []
    var spacing = WordSpacing()
    var isFirst = true
    func add(_ token: String, spaced: Bool) {
      let usual = spacing.spaceBefore(token)
      if !isFirst, usual != spaced { tokens.append(spaced ? Self.gap : Self.joint) }
      tokens.append(token == Self.joint || token == Self.gap ? token + token : token)
      isFirst = false
    }
    var start = 0
    var spaced = false
    while start < scalars.count {
      if scalars[start].isSpace {
        spaced = true
        start += 1
        continue
      }
      let end = Self.end(ofTokenAt: start, in: scalars, insideSingleQuotes: spacing.insideSingle)
      let token = scalars[start..<end].string
      if let stem = Self.stemLength(scalars[start..<end]) {
        add(scalars[start..<start + stem].string, spaced: spaced)
        add(scalars[start + stem..<end].string, spaced: false)
      } else {
        add(token, spaced: spaced)
      }
      spaced = false
      start = end
    }
    return tokens
  }

  /// The text of tokens.
  public func text(of tokens: [String]) -> String {
    var text = ""
    var spacing = WordSpacing()
    var explicit: Bool?
    for token in tokens where !token.isEmpty {
      if token == Self.joint || token == Self.gap {
        explicit = token == Self.gap
        continue
      }
      let token = token == Self.joint + Self.joint || token == Self.gap + Self.gap ? String(token.first!) : token
      let usual = spacing.spaceBefore(token)
      if !text.isEmpty, explicit ?? usual { text += " " }
      text += token
      explicit = nil
    }
    return text
  }

  private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool { scalar == "'" || scalar == "’" }

  private static func end(
    ofTokenAt start: Int, in scalars: [Unicode.Scalar], insideSingleQuotes: Bool
  ) -> Int {
    let first = scalars[start]
    var end = start + 1
    if first == "." || first == "-" {
      while end < scalars.count, scalars[end] == first { end += 1 }
      return end
    }
    guard first.isWordPart else { return end }
    while end < scalars.count {
      let scalar = scalars[end]
      if scalar.isWordPart {
        end += 1
      } else if end + 1 < scalars.count, joins(scalar, at: end, in: scalars, from: start) {
        end += 2
      } else {
        break
      }
    }
    // The possessive of a plural, students', unless a quotation may end here.
    if end < scalars.count, isApostrophe(scalars[end]), !insideSingleQuotes, end - start > 1,
      scalars[end - 1] == "s" || scalars[end - 1] == "S", end + 1 == scalars.count || !scalars[end + 1].isWordPart
    {
      end += 1
    }
    return end
  }

  /// Whether a sign within a word belongs to it, for what is on both sides.
  private static func joins(_ sign: Unicode.Scalar, at index: Int, in scalars: [Unicode.Scalar], from start: Int)
    -> Bool
  {
    let (before, after) = (scalars[index - 1], scalars[index + 1])
    switch sign {
    case "'", "’": return (before.isSpacedLetter || before.isNumber) && after.isSpacedLetter
    case "-", "\u{2010}", "\u{2011}": return before.isWordPart && after.isWordPart
    case ",", ":": return before.isNumber && after.isNumber
    case ".":
      if before.isNumber && after.isNumber { return true }
      // Abbreviations of single letters.
      let isSingle = index - 1 == start || scalars[index - 2] == "."
      let ends = index + 2 == scalars.count || !scalars[index + 2].isWordPart
      return before.isSpacedLetter && after.isSpacedLetter && isSingle && ends
    default: return false
    }
  }

  /// Where a word is divided before the end that is a token of its own.
  private static func stemLength(_ word: ArraySlice<Unicode.Scalar>) -> Int? {
    guard let apostrophe = word.lastIndex(where: isApostrophe), apostrophe > word.startIndex else { return nil }
    for start in [apostrophe - 1, apostrophe] where start > word.startIndex && word.endIndex - start <= 3 {
      if WordSpacing.isClitic(word[start...].string) { return start - word.startIndex }
    }
    return nil
  }
}
