import Attention

/// Beam search: the most probable translations that are reached by keeping the `beamSize` most probable beginnings of
/// each length.
///
/// From step to step:
/// 1. Of all continuations of a sentence's hypotheses by a word or by `</s>`, the `beamSize` most probable are kept, at
///    equal probability those of the better hypothesis and then the smaller token. `<pad>` and `<s>` are no words.
/// 2. Those with `</s>` have ended; they are ranked by log p ÷ lp (``LengthNormalization``), at equal scores the one
///    that ended first.
/// 3. Stopping rule: a hypothesis under way is dropped when it cannot overtake the `hypothesisCount`-th of those that
///    ended. As probabilities only fall and lp only grows, the bound is log p ÷ lp(limit + 1). What is dropped
///    so never changes the result: all that it could displace is less probable and as hopeless.
/// 4. A hypothesis of as many words as the limit allows can only end.
///
/// A sentence without hypotheses under way costs nothing any more: rows are those of the others. A beam of 1 is greedy
/// search, one as wide as all sequences finds the best of all. A sentence's result does not depend on the others in the
/// batch, as far as the decoder's rows do not.
///
/// ```swift
/// let best = BeamSearch(beamSize: 5).hypotheses(model.decoder(for: batch), sourceLengths: batch.lengths)
/// ```
public struct BeamSearch: Sendable, Equatable {
  /// Beam 1: the most probable word each time.
  public static let greedy = BeamSearch(beamSize: 1)

  /// The translation of a source without tokens.
  static let emptyTranslation = Hypothesis(
    tokens: [], logProbability: 0, score: 0, attention: Tensor(repeating: 0, shape: [0, 0]))

  /// How many hypotheses a step keeps for each sentence.
  public let beamSize: Int
  /// How many are wanted of each sentence, 1...beamSize.
  public let hypothesisCount: Int
  /// How lengths are made comparable.
  public let normalization: LengthNormalization
  /// How long translations may be.
  public let lengthLimit: LengthLimit

  /// The search, by default with Wu et al.'s normalisation, α = 0.6.
  public init(
    beamSize: Int = 5, hypothesisCount: Int = 1, normalization: LengthNormalization = .wu(alpha: 0.6),
    lengthLimit: LengthLimit = LengthLimit()
  ) {
    require(beamSize > 0, "BeamSearch: expected a beam of at least 1, got \(beamSize)")
    require(
      1...beamSize ~= hypothesisCount, "BeamSearch: expected 1...\(beamSize) hypotheses, got \(hypothesisCount)")
    require(normalization.isValid, "BeamSearch: expected a finite α of 0 or above, got \(normalization)")
    require(lengthLimit.isValid, "BeamSearch: expected a finite limit of 0 or above, got \(lengthLimit)")
    self.beamSize = beamSize
    self.hypothesisCount = hypothesisCount
    self.normalization = normalization
    self.lengthLimit = lengthLimit
  }

  /// For each row of the decoder's batch its hypotheses, the best first: at least one, at most `hypothesisCount`, and
  /// these all different. Of a source without tokens, whose row the decoder is not asked about, the translation has no
  /// words and probability 1. Stops when the decoder's tensors have other shapes than they should.
  ///
  /// - Parameters:
  ///   - decoder: Scores of next words.
  ///   - sourceLengths: How many tokens the source of each of its rows has.
  public func hypotheses<Decoder: SequenceDecoder>(_ decoder: Decoder, sourceLengths: [Int]) -> [[Hypothesis]] {
    var searches = sourceLengths.map { SentenceSearch(self, sourceLength: $0) }
    var active = searches.indices.filter { !searches[$0].live.isEmpty }
    guard !active.isEmpty else { return searches.map(\.hypotheses) }
    var state = decoder.initialState()
    if active.count < searches.count { state = decoder.select(active, of: state) }
    while !active.isEmpty {
      let tokens = active.flatMap { searches[$0].live.map(\.token) }
      let result = decoder.step(tokens, state)
      check(result.logProbabilities, result.attention, rows: tokens.count, decoder.vocabularySize, sourceLengths)
      var rows: [Int] = []
      var firstRow = 0
      for sentence in active {
        let count = searches[sentence].live.count
        let parents = searches[sentence].advance(
          logProbabilities: result.logProbabilities, attention: result.attention, firstRow: firstRow)
        rows += parents.map { firstRow + $0 }
        firstRow += count
      }
      active.removeAll { searches[$0].live.isEmpty }
      let isUnchanged = rows.count == firstRow && rows.indices.allSatisfy { rows[$0] == $0 }
      if !rows.isEmpty { state = isUnchanged ? result.state : decoder.select(rows, of: result.state) }
    }
    return searches.map(\.hypotheses)
  }

  private func check(_ scores: Tensor, _ attention: Tensor, rows: Int, _ size: Int, _ sourceLengths: [Int]) {
    require(
      scores.shape == [rows, size] && size > Vocabulary.end,
      """
      BeamSearch: expected log probabilities [\(rows), \(size)] of at least \(Vocabulary.end + 1) tokens, got \
      \(scores.shape)
      """)
    let longest = sourceLengths.max() ?? 0
    require(
      attention.rank == 2 && attention.shape[0] == rows && (attention.shape[1] == 0 || attention.shape[1] >= longest),
      "BeamSearch: expected attention [\(rows), \(longest)], or [\(rows), 0] without, got \(attention.shape)")
  }
}
