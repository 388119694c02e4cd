import Attention
import Testing

@testable import Seq2Seq

@Suite struct SentenceTranslationTests {
  /// Says the source's tokens, whose numbers are those of the target, and then ends; looks at the one that it says.
  private struct Echo: SequenceDecoder {
    var batch: SentenceBatch
    var vocabularySize: Int

    func initialState() -> [(row: Int, said: Int)] { batch.ids.indices.map { ($0, 0) } }

    func step(_ tokens: [Int], _ state: [(row: Int, said: Int)]) -> (
      logProbabilities: Tensor, attention: Tensor, state: [(row: Int, said: Int)]
    ) {
      var scores = Tensor(repeating: -20, shape: [state.count, vocabularySize])
      var attention = Tensor(repeating: 0, shape: [state.count, batch.maximumLength])
      for (place, (row, said)) in state.enumerated() {
        let isOver = said >= batch.lengths[row]
        scores.withMutableScalars { scalars in
          scalars[place * vocabularySize + (isOver ? Vocabulary.end : batch.ids[row][said])] = -0.125
        }
        attention.withMutableScalars { scalars in
          if !isOver { scalars[place * batch.maximumLength + said] = 1 }
        }
      }
      return (scores, attention, state.map { ($0.row, $0.said + 1) })
    }

    func select(_ rows: [Int], of state: [(row: Int, said: Int)]) -> [(row: Int, said: Int)] { rows.map { state[$0] } }
  }

  private let codec = TextCodec(.spaces, vocabulary: Vocabulary(counting: [["a", "b", "c", "d"]]))

  private func translate(_ texts: [String], _ options: TranslationOptions) -> [[Translation]] {
    translations(of: texts, source: codec, target: codec, options: options) {
      Echo(batch: $0, vocabularySize: codec.vocabulary.count)
    }
  }

  /// Whatever the batches, translations are where their texts were; blank texts and unknown tokens among them.
  @Test(arguments: [1, 2, 3, 7, 100])
  func theOrderIsThatOfTheTexts(batchSize: Int) {
    var generator = SeededGenerator(seed: UInt64(batchSize))
    let texts = (0..<40).map { _ in
      (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        ["a", "b", "c", "d", "?", "汤"].randomElement(using: &generator)!
      }
      .joined(separator: " ")
    }
    for search in [BeamSearch.greedy, BeamSearch(beamSize: 3, hypothesisCount: 2)] {
      let found = translate(texts, TranslationOptions(search: search, batchSize: batchSize))
      // Unknown tokens are copied, so the echo is whole.
      #expect(found.map { $0[0].text } == texts, "batches of \(batchSize)")
      #expect(found == texts.map { translate([$0], TranslationOptions(search: search))[0] })
    }
  }

  @Test func longSourcesAreCut() {
    let found = translate(["a b c d", "", "  ", "b a"], TranslationOptions(maximumSourceLength: 3))
    #expect(found.map { $0[0].text } == ["a b c", "", "", "b a"])
    #expect(found[0][0].sourceTokens == ["a", "b", "c"] && found[0][0].attention.shape == [3, 3])
    #expect(translate([], TranslationOptions()) == [])
  }
}
