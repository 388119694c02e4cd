/// What stands between spaces: for symbols, and for texts that were divided before.
public struct SpaceTokenizer: Sendable, Equatable {
  /// The tokenizer.
  public init() {}

  /// A text's tokens; none is empty.
  public func tokens(of text: String) -> [String] {
    text.unicodeScalars.split(whereSeparator: \.isSpace).map { String($0) }
  }

  /// The tokens with a space between each two.
  public func text(of tokens: [String]) -> String { tokens.joined(separator: " ") }
}
