import Attention

/// The search for the translation of one sentence: hypotheses under way and those that ended.
struct SentenceSearch {
  private let settings: BeamSearch
  private let sourceLength: Int
  /// Tk of the hypotheses' attention: the source's length, or 0 of a decoder without attention.
  private var width = 0
  /// How many words a hypothesis may have.
  private let limit: Int
  /// What a hypothesis under way is divided by at best.
  private let largestDivisor: Double
  /// Hypotheses under way, all of one length, the most probable first. None when the search has ended.
  private(set) var live: [PartialHypothesis]
  /// The best that ended, the best first; of equal ones, the one that ended first.
  private var ended: [(last: PartialHypothesis, logProbability: Double, score: Double)] = []
  /// What was under way when no hypothesis could go on.
  private var stuck: [PartialHypothesis] = []

  init(_ settings: BeamSearch, sourceLength: Int) {
    self.settings = settings
    self.sourceLength = sourceLength
    limit = settings.lengthLimit.words(sourceLength: sourceLength)
    largestDivisor = settings.normalization.divisor(length: limit + 1)
    live = sourceLength > 0 ? [PartialHypothesis()] : []
  }

  /// Goes on by a word: `firstRow` is the row of `live[0]` in both tensors, those of the others follow. Returns where
  /// in `live` the predecessor of each of the new `live` was.
  mutating func advance(logProbabilities: Tensor, attention: Tensor, firstRow: Int) -> [Int] {
    let candidates = candidates(logProbabilities, firstRow: firstRow)
    if candidates.isEmpty, ended.isEmpty { stuck = live }
    width = min(attention.shape[1], sourceLength)
    let previous = live
    var parents: [Int] = []
    live = []
    for (value, parent, token) in candidates {
      if token == Vocabulary.end {
        end(previous[parent], logProbability: value)
      } else {
        let start = (firstRow + parent) * attention.shape[1]
        live.append(
          PartialHypothesis(
            previous[parent], token: token, logProbability: value, attention: attention.scalars[start..<start + width]))
        parents.append(parent)
      }
    }
    // Sorted by probability, and so by what they can still reach.
    let hopeful = live.prefix(while: canStillWin).count
    live.removeSubrange(hopeful...)
    parents.removeSubrange(hopeful...)
    return parents
  }

  /// What was found, the best first.
  var hypotheses: [Hypothesis] {
    if sourceLength == 0 { return [BeamSearch.emptyTranslation] }
    if ended.isEmpty {
      return stuck.prefix(settings.hypothesisCount).map {
        $0.hypothesis(
          width: width, logProbability: $0.logProbability, score: score($0.logProbability, length: max($0.length, 1)),
          isComplete: false)
      }
    }
    return ended.map {
      $0.last.hypothesis(width: width, logProbability: $0.logProbability, score: $0.score, isComplete: true)
    }
  }

  /// The beam's best continuations, the most probable first; of equal ones, that of the better predecessor, then the
  /// smaller token.
  private func candidates(
    _ logProbabilities: Tensor, firstRow: Int
  ) -> ArraySlice<(value: Double, parent: Int, token: Int)> {
    let size = logProbabilities.shape[1]
    var candidates: [(value: Double, parent: Int, token: Int)] = []
    for (parent, hypothesis) in live.enumerated() {
      let start = (firstRow + parent) * size
      let row = logProbabilities.scalars[start..<start + size]
      let onlyEnd = hypothesis.length == limit
      let tokens =
        onlyEnd
        ? [(token: Vocabulary.end, logProbability: row[start + Vocabulary.end])].filter { $0.1 > -.infinity }
        : bestTokens(of: row, count: settings.beamSize)
      for (token, value) in tokens {
        // Rounding can make a probability exceed 1.
        candidates.append((hypothesis.logProbability + Double(min(value, 0)), parent, token))
      }
    }
    candidates.sort {
      $0.value != $1.value ? $0.value > $1.value : ($0.parent, $0.token) < ($1.parent, $1.token)
    }
    return candidates.prefix(settings.beamSize)
  }

  private mutating func end(_ last: PartialHypothesis, logProbability: Double) {
    let score = score(logProbability, length: last.length + 1)
    let place = ended.firstIndex { $0.score < score } ?? ended.count
    guard place < settings.hypothesisCount else { return }
    ended.insert((last, logProbability, score), at: place)
    if ended.count > settings.hypothesisCount { ended.removeLast() }
  }

  /// The stopping rule. A continuation is at most as probable as its beginning and is divided by lp(limit + 1) at most.
  private func canStillWin(_ hypothesis: PartialHypothesis) -> Bool {
    ended.count < settings.hypothesisCount || hypothesis.logProbability / largestDivisor > ended[ended.count - 1].score
  }

  private func score(_ logProbability: Double, length: Int) -> Double {
    logProbability / settings.normalization.divisor(length: length)
  }
}
