/// How a text becomes tokens, and tokens a text.
public enum Tokenizer: Sendable, Equatable {
  /// One token a character, for Chinese: ``CharacterTokenizer``.
  case characters
  /// Words and punctuation: ``WordTokenizer``.
  case words(WordTokenizer)
  /// Learnt pieces of words: ``BytePairTokenizer``.
  case bytePairs(BytePairTokenizer)
  /// What stands between spaces: ``SpaceTokenizer``.
  case spaces

  /// Words and punctuation.
  public static func words(lowercased: Bool) -> Self { .words(WordTokenizer(lowercased: lowercased)) }

  /// A text's tokens; none is empty. A blank text has none.
  public func tokens(of text: String) -> [String] {
    switch self {
    case .characters: CharacterTokenizer().tokens(of: text)
    case .words(let tokenizer): tokenizer.tokens(of: text)
    case .bytePairs(let tokenizer): tokenizer.tokens(of: text)
    case .spaces: SpaceTokenizer().tokens(of: text)
    }
  }

  /// The text of tokens.
  public func text(of tokens: [String]) -> String {
    switch self {
    case .characters: CharacterTokenizer().text(of: tokens)
    case .words(let tokenizer): tokenizer.text(of: tokens)
    case .bytePairs(let tokenizer): tokenizer.text(of: tokens)
    case .spaces: SpaceTokenizer().text(of: tokens)
    }
  }
}

extension Tokenizer: JSONRepresentable {
  public static let nameInMessages = "tokenizer"

  private enum CodingKeys: String, CodingKey { case kind }
  private enum Kind: String, Codable { case characters, words, bytePairs, spaces }

  /// Reads `{"kind": "characters"}`, or `words`, `bytePairs` with what they hold, or `spaces`.
  public init(from decoder: any Decoder) throws {
    let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .kind)
    switch Kind(rawValue: name) {
    case .characters: self = .characters
    case .words: self = .words(try WordTokenizer(from: decoder))
    case .bytePairs: self = .bytePairs(try BytePairTokenizer(from: decoder))
    case .spaces: self = .spaces
    case nil:
      throw JSONError.invalid(Self.self, "expected the kind characters, words, bytePairs or spaces, found another")
    }
  }

  /// Writes what `init(from:)` reads.
  public func encode(to encoder: any Encoder) throws {
    let kind: Kind
    switch self {
    case .characters: kind = .characters
    case .words(let tokenizer):
      try tokenizer.encode(to: encoder)
      kind = .words
    case .bytePairs(let tokenizer):
      try tokenizer.encode(to: encoder)
      kind = .bytePairs
    case .spaces: kind = .spaces
    }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
  }
}
