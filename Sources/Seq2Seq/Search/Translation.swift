import Attention

/// A translation with the words of both sides and how they are aligned.
public struct Translation: Sendable, Equatable {
  /// What it says.
  public let text: String
  /// Its tokens; unknown ones are replaced.
  public let tokens: [String]
  /// The tokens of the source.
  public let sourceTokens: [String]
  /// [tokens, source tokens]: where the decoder looked while it chose each token; [tokens, 0] without attention.
  public let attention: Tensor
  /// log p of the tokens and their end, base e.
  public let logProbability: Double
  /// logProbability divided for the length (``LengthNormalization``).
  public let score: Double
  /// Whether it ends by itself: see ``Hypothesis/isComplete``.
  public let isComplete: Bool

  /// The text of a hypothesis. Each `<unk>` becomes the source token that it attended to most (Luong et al. 2015,
  /// arXiv:1410.8206, copy names and numbers so); without attention it stays `<unk>`.
  public init(_ hypothesis: Hypothesis, sourceTokens: [String], target: TextCodec) {
    let width = hypothesis.attention.shape[1]
    require(
      width == sourceTokens.count || width == 0,
      "Translation: expected attention over \(sourceTokens.count) source tokens, got it over \(width)")
    tokens = zip(hypothesis.tokens, hypothesis.mostAttended).map { number, position in
      guard number == Vocabulary.unknown, let position else { return target.vocabulary[number] }
      return sourceTokens[position]
    }
    text = target.tokenizer.text(of: tokens)
    self.sourceTokens = sourceTokens
    attention = hypothesis.attention
    logProbability = hypothesis.logProbability
    score = hypothesis.score
    isComplete = hypothesis.isComplete
  }
}
