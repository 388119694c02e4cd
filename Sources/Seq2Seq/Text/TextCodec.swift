/// Texts of one language to numbers and back: a tokenizer and its vocabulary.
///
/// ```swift
/// let codec = TextCodec(.characters, counting: corpus.pairs.map(\.source), minimumCount: 2)
/// codec.encode("我爱你。")  // [5, 80, 6, 4]
/// ```
public struct TextCodec: Sendable, Equatable, JSONRepresentable {
  public static let nameInMessages = "text codec"

  /// How texts become tokens.
  public let tokenizer: Tokenizer
  /// The tokens' numbers.
  public let vocabulary: Vocabulary

  /// A codec of the two.
  public init(_ tokenizer: Tokenizer, vocabulary: Vocabulary) {
    self.tokenizer = tokenizer
    self.vocabulary = vocabulary
  }

  /// A codec whose vocabulary is counted over texts: see ``Vocabulary/init(counting:minimumCount:maximumSize:)``.
  public init(
    _ tokenizer: Tokenizer, counting texts: some Sequence<String>, minimumCount: Int = 1, maximumSize: Int? = nil
  ) {
    self.tokenizer = tokenizer
    vocabulary = Vocabulary(
      counting: texts.lazy.map(tokenizer.tokens(of:)), minimumCount: minimumCount, maximumSize: maximumSize)
  }

  /// A text's numbers, without `<s>` and `</s>`.
  public func encode(_ text: String) -> [Int] { vocabulary.encode(tokenizer.tokens(of: text)) }

  /// The text of the numbers up to the first `</s>`.
  public func decode(_ numbers: [Int]) -> String { tokenizer.text(of: vocabulary.decode(numbers)) }
}
