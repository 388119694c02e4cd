import Attention

/// A translation in numbers, as search found it.
public struct Hypothesis: Sendable, Equatable {
  /// The words' numbers, without `<s>` and `</s>`.
  public let tokens: [Int]
  /// log p(tokens, `</s>` | source), base e; without `</s>` where the hypothesis is incomplete.
  public let logProbability: Double
  /// logProbability divided for its length: what hypotheses are ranked by.
  public let score: Double
  /// [tokens, Tk]: where the decoder looked while it chose each word; [tokens, 0] of a decoder without attention.
  public let attention: Tensor
  /// Whether it ends with `</s>`. It does not where every continuation had probability 0 or NaN.
  public let isComplete: Bool

  /// A hypothesis.
  public init(tokens: [Int], logProbability: Double, score: Double, attention: Tensor, isComplete: Bool = true) {
    require(
      attention.rank == 2 && attention.shape[0] == tokens.count,
      "Hypothesis: expected attention [\(tokens.count), Tk], got \(attention.shape)")
    self.tokens = tokens
    self.logProbability = logProbability
    self.score = score
    self.attention = attention
    self.isComplete = isComplete
  }

  /// The source position that each word looked at most, of equal ones the first; nil where none has a weight above 0.
  public var mostAttended: [Int?] {
    let width = attention.shape[1]
    return tokens.indices.map { word in
      var best: Int?
      var most: Float = 0
      for position in 0..<width where attention.scalars[word * width + position] > most {
        most = attention.scalars[word * width + position]
        best = position
      }
      return best
    }
  }
}
