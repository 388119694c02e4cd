/// One token a character, for Chinese and Japanese.
///
/// - Ideographs, kana, digits and signs are a token each. A token is a Unicode scalar rather than a grapheme: an
///   ideograph with a variation selector is still the ideograph, and nothing depends on the version of Unicode.
/// - Letters of scripts with spaces between words stay together: `Tom` in a Chinese sentence is one token, so that the
///   name can be copied whole where it is unknown.
/// - Spaces are dropped. `text(of:)` puts one between two words of letters and nowhere else, which is how Chinese is
///   written: `我 爱 中国` comes back as `我爱中国`, `iPad mini` as it was, `Wi-Fi` too.
public struct CharacterTokenizer: Sendable, Equatable {
  /// The tokenizer.
  public init() {}

  /// A text's tokens; none is empty.
  public func tokens(of text: String) -> [String] {
    var tokens: [String] = []
    var word = String.UnicodeScalarView()
    func finishWord() {
      if !word.isEmpty { tokens.append(String(word)) }
      word = String.UnicodeScalarView()
    }
    for scalar in text.unicodeScalars {
      if scalar.isSpacedLetter || (!word.isEmpty && scalar.isMark) {
        word.append(scalar)
      } else {
        finishWord()
        if !scalar.isSpace { tokens.append(String(scalar)) }
      }
    }
    finishWord()
    return tokens
  }

  /// The text of tokens.
  public func text(of tokens: [String]) -> String {
    var text = ""
    var endsInLetter = false
    for token in tokens {
      let scalars = token.unicodeScalars
      guard let first = scalars.first, let last = scalars.last else { continue }
      if endsInLetter, first.isSpacedLetter { text += " " }
      text += token
      endsInLetter = last.isSpacedLetter || (scalars.count > 1 && last.isMark)
    }
    return text
  }
}
