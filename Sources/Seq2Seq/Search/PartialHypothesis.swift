import Attention

/// A word of an unfinished hypothesis, with its way back to the first one. Hypotheses share their beginnings, and what
/// no hypothesis needs any more is freed.
final class PartialHypothesis {
  private var parent: PartialHypothesis?
  let token: Int
  /// How many words there are up to this one.
  let length: Int
  /// log p of all words up to this one.
  let logProbability: Double
  /// Over the source, for this word.
  private let attention: [Float]

  /// `<s>`, before all words.
  init() {
    (token, length, logProbability, attention) = (Vocabulary.start, 0, 0, [])
  }

  /// A word behind another one.
  init(_ parent: PartialHypothesis, token: Int, logProbability: Double, attention: ArraySlice<Float>) {
    self.parent = parent
    self.token = token
    self.length = parent.length + 1
    self.logProbability = logProbability
    self.attention = Array(attention)
  }

  // A long chain must not be freed by recursion.
  deinit {
    var next = parent
    parent = nil
    while isKnownUniquelyReferenced(&next), let node = next {
      next = node.parent
      node.parent = nil
    }
  }

  /// The words from the first to this one, with attention over `width` positions.
  func hypothesis(width: Int, logProbability: Double, score: Double, isComplete: Bool) -> Hypothesis {
    var nodes: [PartialHypothesis] = []
    var node = self
    while let parent = node.parent {
      nodes.append(node)
      node = parent
    }
    nodes.reverse()
    return Hypothesis(
      tokens: nodes.map(\.token), logProbability: logProbability, score: score,
      attention: Tensor(nodes.flatMap(\.attention), shape: [nodes.count, width]),
      isComplete: isComplete)
  }
}
