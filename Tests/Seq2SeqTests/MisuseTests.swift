import Seq2Seq
import Testing

/// Misuse stops the program with a message that shows what was expected and what came.
@Suite struct MisuseTests {
  private func expect(_ result: ExitTest.Result?, says text: String) throws {
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains(text), "\(said)")
  }

  @Test func hypothesesWithoutReferences() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BLEU().corpusScore(["a", "b"], references: [["a"]])
    }
    try expect(exit, says: "BLEU: expected references for 2 hypotheses, got them for 1")
    let none = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ChrF().corpusScore(["a", "b"], references: [["a"], []])
    }
    try expect(none, says: "ChrF: expected a reference each, got none for hypothesis 1")
  }

  @Test func numbersOutsideTheVocabulary() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Vocabulary(counting: [["a"]]).decode([4, 5])
    }
    try expect(exit, says: "Vocabulary: expected a number in 0..<5, got 5")
  }

  @Test func restoringOtherRows() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SentenceBatch([[4], [5, 6]]).restored([1])
    }
    try expect(exit, says: "SentenceBatch: expected 2 rows, got 1")
  }

  @Test func columnZero() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try ParallelCorpus(bytes: [], sourceColumn: 0)
    }
    try expect(exit, says: "ParallelCorpus: expected columns counted from 1, got 0 and 1")
  }

  @Test func moreThanATaskHas() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = DatesTask().split(training: 73_000, validation: 49, test: 1, seed: 0)
    }
    try expect(exit, says: "DatesTask: expected at most 73049 pairs in all, got 73000, 49, 1")
    let few = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = NumeralsTask().split(training: 99, validation: 1, test: 1, seed: 0)
    }
    try expect(few, says: "NumeralsTask: expected at least 100 pairs for training")
  }
}
