import Foundation
import Seq2Seq
import Testing

@Suite struct ScoreTests {
  @Test func exactMatchIgnoresOnlyTheWidthOfSpaces() {
    #expect(exactMatch(["a  b ", "a b", "A b", ""], references: [["a b"], ["c", "a b"], ["a b"], ["x"]]) == 0.5)
    #expect(exactMatch([], references: []) == 0)
  }

  @Test func perplexityOfEvenChoicesIsTheirNumber() {
    // Each of 7 tokens at probability 1/20: exp(log 20) up to the rounding of log, sum and exp.
    #expect(abs(perplexity(negativeLogLikelihood: 7 * log(20), tokenCount: 7) - 20) < 1e-12)
    #expect(perplexity(negativeLogLikelihood: 0, tokenCount: 3) == 1)
  }

  /// Papineni et al. 2002, their second example: the clipped precision of "the" seven times is 2/7.
  @Test func matchesAreClipped() {
    let score = BLEU().sentenceScore(
      "the the the the the the the", references: ["the cat is on the mat", "there is a cat on the mat"])
    #expect(score.matches == [2, 0, 0, 0] && score.totals == [7, 6, 5, 4])
  }

  @Test func words13a() {
    #expect(
      BLEUTokenization.mteval13a.words(of: "He said &quot;1,000.5&quot;, no - 5-6.")
        == ["He", "said", "\"", "1,000.5", "\"", ",", "no", "-", "5", "-", "6", "."])
  }

  @Test func ofNoHypothesesZero() {
    #expect(BLEU().corpusScore([], references: []).score == 0)
    #expect(ChrF().corpusScore([], references: []) == 0)
  }
}
