import Foundation

/// BLEU (Papineni, Roukos, Ward, Zhu 2002, "BLEU: a method for automatic evaluation of machine translation"), as Post
/// 2018 (arXiv:1804.08771) has made it comparable; scores agree with sacreBLEU's.
///
///     BLEU = 100 · BP · exp(mean over n = 1…N of log p_n),   BP = min(1, exp(1 − r ÷ c))
///
/// p_n is the share of the hypotheses' runs of n words that occur in a reference, each counted at most as often as in
/// the reference that has it most often; c is the number of words of all hypotheses, r the sum over sentences of the
/// length of the reference that is closest in length (of two, the shorter). Counts are summed over the corpus first.
///
/// ```swift
/// let score = BLEU().corpusScore(["The cat sat down."], references: [["The cat sat.", "A cat sat down."]])
/// print(score)  // BLEU = 84.09 100.0/100.0/100.0/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 5 ref_len = 5)
/// ```
public struct BLEU: Sendable, Equatable {
  /// What stands for the precision of an order without a match (Chen and Cherry 2014, "A systematic comparison of
  /// smoothing techniques for sentence-level BLEU").
  public enum Smoothing: Sendable, Equatable {
    /// Nothing: the score is 0.
    case none
    /// This many matches instead of none.
    case floor(Double = 0.1)
    /// This much added to matches and occurrences of all orders above 1.
    case addK(Double = 1)
    /// ½, ¼, … of a match for the first, second, … order without one.
    case exponential
  }

  /// How sentences are divided.
  public var tokenization: BLEUTokenization
  /// What stands for orders without a match.
  public var smoothing: Smoothing
  /// Whether case is ignored.
  public var lowercase: Bool
  /// N, the longest run of words.
  public var maximumOrder: Int
  /// Whether orders for which the hypotheses are too short are left out of the mean: meant for single sentences.
  public var effectiveOrder: Bool

  /// The score, by default sacreBLEU's for a corpus: 13a, exponential smoothing, case matters, N = 4.
  public init(
    tokenization: BLEUTokenization = .mteval13a, smoothing: Smoothing = .exponential, lowercase: Bool = false,
    maximumOrder: Int = 4, effectiveOrder: Bool = false
  ) {
    require(maximumOrder > 0, "BLEU: expected an order above 0, got \(maximumOrder)")
    self.tokenization = tokenization
    self.smoothing = smoothing
    self.lowercase = lowercase
    self.maximumOrder = maximumOrder
    self.effectiveOrder = effectiveOrder
  }

  /// The score of all hypotheses together; references[i], at least one, are those of hypotheses[i].
  public func corpusScore(_ hypotheses: [String], references: [[String]]) -> BLEUScore {
    requireReferences(references, for: hypotheses, of: "BLEU")
    var counts = BLEUCounts(orders: maximumOrder)
    for (hypothesis, references) in zip(hypotheses, references) {
      counts.add(words(of: hypothesis), references: references.map(words(of:)))
    }
    return score(of: counts)
  }

  /// The score of one hypothesis. `effectiveOrder` is advisable.
  public func sentenceScore(_ hypothesis: String, references: [String]) -> BLEUScore {
    corpusScore([hypothesis], references: [references])
  }

  /// What a score must be quoted with: `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`, as sacreBLEU writes it.
  public func signature(references: [[String]]) -> String {
    let smoothing =
      switch smoothing {
      case .none: "none"
      case .floor(let value): "floor[\(String(format: "%.2f", value))]"
      case .addK(let value): "add-k[\(String(format: "%.2f", value))]"
      case .exponential: "exp"
      }
    return """
      nrefs:\(referenceCount(of: references))|case:\(lowercase ? "lc" : "mixed")|eff:\(effectiveOrder ? "yes" : "no")|\
      tok:\(tokenization.rawValue)|smooth:\(smoothing)
      """
  }

  private func words(of text: String) -> [ScoreText] {
    tokenization.words(of: ScoreText(text, lowercased: lowercase))
  }

  private func score(of counts: BLEUCounts) -> BLEUScore {
    let (hypothesis, reference) = (Double(counts.hypothesisLength), Double(counts.referenceLength))
    let penalty = hypothesis >= reference ? 1 : hypothesis > 0 ? exp(1 - reference / hypothesis) : 0
    var precisions = [Double](repeating: 0, count: maximumOrder)
    var used = maximumOrder
    if counts.matches.contains(where: { $0 > 0 }) {
      var unmatched = 1.0
      for n in 0..<maximumOrder {
        var (matches, total) = (Double(counts.matches[n]), Double(counts.totals[n]))
        if case .addK(let k) = smoothing, n > 0 {
          matches += k
          total += k
        }
        if total == 0 { break }
        if effectiveOrder { used = n + 1 }
        if matches == 0 {
          switch smoothing {
          case .none, .addK: break
          case .floor(let value): matches = value
          case .exponential:
            unmatched *= 2
            matches = 1 / unmatched
          }
        }
        precisions[n] = 100 * matches / total
      }
    }
    let kept = precisions.prefix(used)
    let mean = kept.allSatisfy { $0 > 0 } ? exp(kept.reduce(0) { $0 + log($1) } / Double(used)) : 0
    return BLEUScore(
      score: penalty * mean, precisions: precisions, brevityPenalty: penalty, matches: counts.matches,
      totals: counts.totals, hypothesisLength: counts.hypothesisLength, referenceLength: counts.referenceLength)
  }
}

/// What BLEU is computed from, summed over sentences.
private struct BLEUCounts {
  var matches: [Int]
  var totals: [Int]
  var hypothesisLength = 0
  var referenceLength = 0

  init(orders: Int) {
    matches = Array(repeating: 0, count: orders)
    totals = matches
  }

  mutating func add(_ hypothesis: [ScoreText], references: [[ScoreText]]) {
    // Words become numbers, the same for equal words of this sentence.
    var numbers: [ScoreText: Int] = [:]
    func numbered(_ words: [ScoreText]) -> [Int] {
      words.map { word in
        if let number = numbers[word] { return number }
        numbers[word] = numbers.count
        return numbers.count - 1
      }
    }
    let hypothesis = numbered(hypothesis)
    let references = references.map(numbered)
    for n in matches.indices {
      var union = NGramCounts<Int>()
      for reference in references { union.formUnion(NGramCounts(reference, order: n + 1)) }
      let grams = NGramCounts(hypothesis, order: n + 1)
      matches[n] += grams.matches(in: union)
      totals[n] += grams.total
    }
    hypothesisLength += hypothesis.count
    referenceLength +=
      references.map(\.count).min { (abs($0 - hypothesis.count), $0) < (abs($1 - hypothesis.count), $1) } ?? 0
  }
}
