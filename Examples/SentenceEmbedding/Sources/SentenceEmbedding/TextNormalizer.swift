import Foundation

/// What BERT does to a text before it looks words up: control characters go, letters become small and lose their
/// accents, and punctuation marks and Chinese characters are words by themselves.
///
/// Categories, decompositions and small letters are those of Unicode.
public struct TextNormalizer: Sendable, Equatable, Decodable {
  /// Letters become small.
  public var doLowerCase: Bool?
  /// Letters lose their accents; nil = as ``doLowerCase``.
  public var stripAccents: Bool?
  /// Chinese characters are words by themselves.
  public var tokenizeChineseChars: Bool?

  /// What a model without capital letters does.
  public init(doLowerCase: Bool = true, stripAccents: Bool? = nil, tokenizeChineseChars: Bool = true) {
    self.doLowerCase = doLowerCase
    self.stripAccents = stripAccents
    self.tokenizeChineseChars = tokenizeChineseChars
  }

  /// Reads a `tokenizer_config.json`. What it does not say is `true`.
  public init(contentsOf path: String) throws(ModelError) { self = try decoded(Self.self, from: path) }

  /// The words of a text and its punctuation marks, in order.
  public func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    func finish() {
      if !word.isEmpty { words.append(String(word)) }
      word = String.UnicodeScalarView()
    }
    for scalar in normalized(text) {
      if scalar.properties.isWhitespace {
        finish()
      } else if scalar.isPunctuation {
        finish()
        words.append(String(scalar))
      } else {
        word.append(scalar)
      }
    }
    finish()
    return words
  }

  private func normalized(_ text: String) -> String.UnicodeScalarView {
    var cleaned = String.UnicodeScalarView()
    for scalar in text.unicodeScalars where !scalar.isControl {
      if tokenizeChineseChars ?? true, scalar.isChinese {
        cleaned.append(contentsOf: [" ", scalar, " "])
      } else {
        cleaned.append(scalar)
      }
    }
    if stripAccents ?? doLowerCase ?? true {
      let decomposed = String(cleaned).decomposedStringWithCanonicalMapping.unicodeScalars
      cleaned = String.UnicodeScalarView(decomposed.filter { $0.properties.generalCategory != .nonspacingMark })
    }
    // Scalar by scalar: Σ becomes σ at the end of a word too.
    guard doLowerCase ?? true else { return cleaned }
    return String.UnicodeScalarView(cleaned.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) })
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch self {
    case "\t", "\n", "\r": return false
    case "\0", "\u{FFFD}": return true
    default:
      let category = properties.generalCategory
      return category == .control || category == .format || category == .privateUse
    }
  }

  /// Of the blocks of Chinese ideographs. Japanese kana and Korean are written in words and parts of words.
  fileprivate var isChinese: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// Unicode's punctuation, and all of ASCII that is no letter, digit or space: `$` and `~` are symbols to Unicode.
  fileprivate var isPunctuation: Bool {
    switch value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    default:
      switch properties.generalCategory {
      case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
        .finalPunctuation, .otherPunctuation:
        return true
      default: return false
      }
    }
  }
}
