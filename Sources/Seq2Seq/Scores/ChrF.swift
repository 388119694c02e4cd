import Foundation

/// chrF and chrF++ (Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; Popović 2017, "chrF++:
/// words helping character n-grams"); scores agree with sacreBLEU's.
///
///     chrFβ = 100 · (1 + β²) · P · R ÷ (β² · P + R)
///
/// P and R are the means, over runs of n = 1…6 characters (and, in chrF++, of 1 and 2 words), of the share of the
/// hypothesis' runs that the reference has, and of the reference's that the hypothesis has; orders for which either is
/// too short are left out. Of several references the one with the best score for the sentence counts. Counts are summed
/// over the corpus first.
public struct ChrF: Sendable, Equatable {
  /// The longest run of characters.
  public var characterOrder: Int
  /// The longest run of words; 0 is chrF, 2 is chrF++.
  public var wordOrder: Int
  /// β: recall weighs β times as much as precision.
  public var beta: Double
  /// Whether case is ignored.
  public var lowercase: Bool
  /// Whether white space belongs to runs of characters.
  public var whitespace: Bool

  /// chrF++.
  public static let plusPlus = ChrF(wordOrder: 2)

  /// The score, by default sacreBLEU's: chrF2.
  public init(
    characterOrder: Int = 6, wordOrder: Int = 0, beta: Double = 2, lowercase: Bool = false, whitespace: Bool = false
  ) {
    require(
      characterOrder > 0 && wordOrder >= 0 && beta > 0,
      "ChrF: expected orders of at least 1 and 0, β above 0, got \(characterOrder), \(wordOrder), \(beta)")
    self.characterOrder = characterOrder
    self.wordOrder = wordOrder
    self.beta = beta
    self.lowercase = lowercase
    self.whitespace = whitespace
  }

  /// The score of all hypotheses together, in 0...100; references[i], at least one, are those of hypotheses[i].
  public func corpusScore(_ hypotheses: [String], references: [[String]]) -> Double {
    requireReferences(references, for: hypotheses, of: "ChrF")
    var sums = [OrderCounts](repeating: OrderCounts(), count: characterOrder + wordOrder)
    for (hypothesis, references) in zip(hypotheses, references) {
      let hypothesis = Grams(hypothesis, as: self)
      var best: (score: Double, counts: [OrderCounts])?
      for reference in references {
        let counts = hypothesis.counts(against: Grams(reference, as: self))
        let score = score(of: counts)
        if score > best?.score ?? -1 { best = (score, counts) }
      }
      for (order, counts) in (best?.counts ?? []).enumerated() { sums[order] += counts }
    }
    return score(of: sums)
  }

  /// The score of one hypothesis, in 0...100.
  public func sentenceScore(_ hypothesis: String, references: [String]) -> Double {
    corpusScore([hypothesis], references: [references])
  }

  /// `chrF2`, or `chrF2++` with words.
  public var name: String {
    let beta = beta == beta.rounded() && beta < 1000 ? String(Int(beta)) : String(beta)
    return "chrF" + beta + String(repeating: "+", count: wordOrder)
  }

  /// What a score must be quoted with: `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`, as sacreBLEU writes it.
  public func signature(references: [[String]]) -> String {
    """
    nrefs:\(referenceCount(of: references))|case:\(lowercase ? "lc" : "mixed")|eff:yes|nc:\(characterOrder)|\
    nw:\(wordOrder)|space:\(whitespace ? "yes" : "no")
    """
  }

  private func score(of counts: [OrderCounts]) -> Double {
    let counts = counts.filter { $0.hypothesis > 0 && $0.reference > 0 }
    guard !counts.isEmpty else { return 0 }
    func mean(_ total: KeyPath<OrderCounts, Int>) -> Double {
      counts.reduce(0) { $0 + Double($1.matches) / Double($1[keyPath: total]) } / Double(counts.count)
    }
    let (precision, recall) = (mean(\.hypothesis), mean(\.reference))
    guard precision + recall > 0 else { return 0 }
    let factor = beta * beta
    return 100 * (1 + factor) * precision * recall / (factor * precision + recall)
  }
}

/// Runs of one order in a hypothesis and its reference.
private struct OrderCounts {
  var hypothesis = 0
  var reference = 0
  var matches = 0

  static func += (left: inout Self, right: Self) {
    left.hypothesis += right.hypothesis
    left.reference += right.reference
    left.matches += right.matches
  }
}

/// All runs of a text.
private struct Grams {
  let characters: [NGramCounts<Unicode.Scalar>]
  let words: [NGramCounts<ScoreText>]

  init(_ text: String, as score: ChrF) {
    let text = ScoreText(text, lowercased: score.lowercase)
    let scalars = score.whitespace ? text : text.filter { !$0.dividesScoredWords }
    characters = (1...score.characterOrder).map { NGramCounts(scalars, order: $0) }
    let words = score.wordOrder > 0 ? Self.words(of: text) : []
    self.words = (0..<score.wordOrder).map { NGramCounts(words, order: $0 + 1) }
  }

  func counts(against reference: Grams) -> [OrderCounts] {
    zip(characters, reference.characters).map(Self.counts) + zip(words, reference.words).map(Self.counts)
  }

  private static func counts<Element>(
    _ hypothesis: NGramCounts<Element>, _ reference: NGramCounts<Element>
  ) -> OrderCounts {
    // Runs of an order that the reference is too short for do not count against the hypothesis.
    OrderCounts(
      hypothesis: reference.total > 0 ? hypothesis.total : 0, reference: reference.total,
      matches: hypothesis.matches(in: reference))
  }

  /// Words with one sign of ASCII split off, at the end or else at the beginning.
  private static func words(of text: ScoreText) -> [ScoreText] {
    text.scoredWords.flatMap { word -> [ScoreText] in
      if word.count == 1 { return [word] }
      if isPunctuation(word[word.count - 1]) { return [Array(word.dropLast()), [word[word.count - 1]]] }
      if isPunctuation(word[0]) { return [[word[0]], Array(word.dropFirst())] }
      return [word]
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }
}
