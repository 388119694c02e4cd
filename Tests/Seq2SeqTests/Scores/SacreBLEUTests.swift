import Seq2Seq
import Testing

/// Against values recorded from sacreBLEU 2.6.0 to ten decimals. The counts are whole numbers and must agree exactly;
/// of a score then only the rounding of a few operations on numbers up to 100 is left, far below 10⁻⁹, and that of the
/// recorded value, 10⁻¹⁰ ÷ 2.
@Suite struct SacreBLEUTests {
  private let tolerance = 1e-9

  @Test func thereIsAVarietyOfCases() {
    #expect(RecordedScores.all.count >= 40)
    #expect(Set(RecordedScores.all.flatMap(\.bleu).map(\.tokenization)).count == BLEUTokenization.allCases.count)
    #expect(RecordedScores.all.flatMap(\.bleu).count { 1..<99 ~= $0.score } > 100)
    #expect(RecordedScores.all.flatMap(\.chrf).count { 1..<99 ~= $0.score } > 50)
  }

  @Test(arguments: RecordedScores.all) func corpusBLEU(recorded: RecordedScores.Case) throws {
    for expected in recorded.bleu {
      let bleu = try expected.bleu
      let score = bleu.corpusScore(recorded.hypotheses, references: recorded.references)
      #expect(abs(score.score - expected.score) <= tolerance, "\(expected.signature)")
      #expect(abs(score.brevityPenalty - expected.brevityPenalty) <= tolerance, "\(expected.signature)")
      for (precision, value) in zip(score.precisions, expected.precisions) {
        #expect(abs(precision - value) <= tolerance, "\(expected.signature)")
      }
      #expect(score.precisions.count == expected.precisions.count)
      #expect(expected.matches.map { $0 == score.matches } ?? true, "\(expected.signature): \(score.matches)")
      #expect(expected.totals.map { $0 == score.totals } ?? true, "\(expected.signature): \(score.totals)")
      #expect(score.hypothesisLength == expected.hypothesisLength, "\(expected.signature)")
      #expect(score.referenceLength == expected.referenceLength, "\(expected.signature)")
      #expect(score.description == expected.text)
      #expect(bleu.signature(references: recorded.references) == expected.signature)
    }
  }

  @Test(arguments: RecordedScores.all) func sentenceBLEU(recorded: RecordedScores.Case) throws {
    for expected in recorded.bleu {
      for (index, hypothesis) in recorded.hypotheses.enumerated() {
        let score = try expected.bleu.sentenceScore(hypothesis, references: recorded.references[index]).score
        #expect(abs(score - expected.sentences[index]) <= tolerance, "\(expected.signature): sentence \(index)")
      }
    }
  }

  @Test(arguments: RecordedScores.all) func chrF(recorded: RecordedScores.Case) {
    for expected in recorded.chrf {
      let chrF = expected.chrF
      let score = chrF.corpusScore(recorded.hypotheses, references: recorded.references)
      #expect(abs(score - expected.score) <= tolerance, "\(expected.signature)")
      for (index, hypothesis) in recorded.hypotheses.enumerated() {
        let score = chrF.sentenceScore(hypothesis, references: recorded.references[index])
        #expect(abs(score - expected.sentences[index]) <= tolerance, "\(expected.signature): sentence \(index)")
      }
      #expect(chrF.name == expected.name)
      #expect(chrF.signature(references: recorded.references) == expected.signature)
    }
  }
}
