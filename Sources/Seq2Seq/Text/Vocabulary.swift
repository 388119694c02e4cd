/// Tokens and their numbers, 0..<count. The first four are no text: `<pad>` 0, `<unk>` 1, `<s>` 2, `</s>` 3.
///
/// Tokens are compared as Swift compares strings, by canonical equivalence: é is the same token precomposed or not. A
/// token of a text that is spelled like one of the first four is unknown: no text can forge a sentence's end.
///
/// ```swift
/// let vocabulary = Vocabulary(counting: [["the", "cat"], ["the", "dog"]], minimumCount: 2)
/// vocabulary.encode(["the", "cow"])  // [4, 1]
/// ```
public struct Vocabulary: Sendable, Equatable {
  /// The number of `<pad>`, which fills what is beyond a sentence's end in a batch.
  public static let padding = 0
  /// The number of `<unk>`, which stands for tokens that the vocabulary lacks.
  public static let unknown = 1
  /// The number of `<s>`, with which a decoder begins.
  public static let start = 2
  /// The number of `</s>`, with which a decoder ends.
  public static let end = 3
  /// The tokens that are no text, in the order of their numbers.
  public static let specials = ["<pad>", "<unk>", "<s>", "</s>"]

  /// All tokens in the order of their numbers, the specials first.
  public let tokens: [String]
  /// Numbers of the tokens that are text.
  private let numbers: [String: Int]

  /// How many tokens there are, with the four specials.
  public var count: Int { tokens.count }

  /// A vocabulary of the specials and these tokens, in their order.
  ///
  /// - Throws: `JSONError.invalid` where a token is empty, spelled like a special, or there twice.
  public init(textTokens: [String]) throws(JSONError) {
    var numbers: [String: Int] = [:]
    numbers.reserveCapacity(textTokens.count)
    for (index, token) in textTokens.enumerated() {
      let number = index + Self.specials.count
      guard !token.isEmpty else { throw .invalid(Self.self, "token \(number) is empty") }
      guard !Self.specials.contains(token) else {
        throw .invalid(Self.self, "token \(number) is spelled like the special \(token)")
      }
      if let other = numbers.updateValue(number, forKey: token) {
        throw .invalid(Self.self, "token \(number) is the same as token \(other)")
      }
    }
    tokens = Self.specials + textTokens
    self.numbers = numbers
  }

  /// A vocabulary of the tokens that occur in the sentences at least `minimumCount` times; of these, where a size is
  /// given, the most frequent, until there are `maximumSize` (at least 4) with the specials.
  ///
  /// More frequent tokens have smaller numbers; equally frequent ones are in the order of their Unicode scalars.
  public init(counting sentences: some Sequence<[String]>, minimumCount: Int = 1, maximumSize: Int? = nil) {
    require(
      minimumCount > 0 && maximumSize.map { $0 >= Self.specials.count } ?? true,
      """
      Vocabulary: expected a minimum count above 0 and a size of at least \(Self.specials.count), got \(minimumCount) \
      and \(maximumSize.map(String.init) ?? "none")
      """)
    var counts: [String: Int] = [:]
    for sentence in sentences {
      for token in sentence where !token.isEmpty { counts[token, default: 0] += 1 }
    }
    for special in Self.specials { counts[special] = nil }
    let sorted = counts.lazy.filter { $0.value >= minimumCount }
      .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
    let kept = sorted.prefix(maximumSize.map { $0 - Self.specials.count } ?? sorted.count).map(\.key)
    tokens = Self.specials + kept
    numbers = Dictionary(uniqueKeysWithValues: zip(kept, Self.specials.count...))
  }

  /// The number of a token of a text; nil where the vocabulary lacks it.
  public subscript(token: String) -> Int? { numbers[token] }

  /// The token of a number in 0..<count.
  public subscript(number: Int) -> String {
    require(tokens.indices ~= number, "Vocabulary: expected a number in 0..<\(count), got \(number)")
    return tokens[number]
  }

  /// The numbers of a text's tokens, `unknown` for those that the vocabulary lacks.
  public func encode(_ tokens: [String]) -> [Int] { tokens.map { numbers[$0] ?? Self.unknown } }

  /// The tokens of the numbers up to the first `</s>`, without `<pad>` and `<s>`. Numbers are in 0..<count.
  public func decode(_ numbers: [Int]) -> [String] {
    numbers.prefix { $0 != Self.end }.filter { $0 != Self.padding && $0 != Self.start }.map { self[$0] }
  }
}

extension Vocabulary: JSONRepresentable {
  public static let nameInMessages = "vocabulary"

  private enum CodingKeys: String, CodingKey { case tokens }

  /// Reads `{"tokens": ["<pad>", "<unk>", "<s>", "</s>", …]}` and checks it.
  public init(from decoder: any Decoder) throws {
    let tokens = try decoder.container(keyedBy: CodingKeys.self).decode([String].self, forKey: .tokens)
    guard tokens.starts(with: Self.specials) else {
      throw JSONError.invalid(
        Self.self, "expected to begin with \(Self.specials.joined(separator: " ")), found other tokens")
    }
    try self.init(textTokens: Array(tokens.dropFirst(Self.specials.count)))
  }

  /// Writes `{"tokens": […]}`, the specials included.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tokens, forKey: .tokens)
  }
}
