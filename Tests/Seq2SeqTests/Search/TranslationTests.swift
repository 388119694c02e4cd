import Attention
import Seq2Seq
import Testing

@Suite struct TranslationTests {
  private let target = TextCodec(
    .words(lowercased: false), vocabulary: Vocabulary(counting: [["lives", "in", "."]]))

  private func hypothesis(_ tokens: [String], _ positions: [Int], keys: Int) -> Hypothesis {
    var weights = Tensor(repeating: 0.01, shape: [tokens.count, keys])
    weights.withMutableScalars { scalars in
      for (word, position) in positions.enumerated() where keys > 0 { scalars[word * keys + position] = 0.9 }
    }
    return Hypothesis(tokens: target.vocabulary.encode(tokens), logProbability: -2, score: -1, attention: weights)
  }

  @Test func unknownWordsAreCopied() {
    let source = ["汤", "姆", "住", "在", "柏"]
    let found = hypothesis(["Tom", "lives", "in", "Berlin", "."], [0, 2, 3, 4, 1], keys: 5)
    let translation = Translation(found, sourceTokens: source, target: target)
    #expect(translation.tokens == ["汤", "lives", "in", "柏", "."])
    #expect(translation.text == target.tokenizer.text(of: ["汤", "lives", "in", "柏", "."]))
    #expect(translation.attention == found.attention)
    #expect(translation.sourceTokens == source && translation.score == -1 && translation.logProbability == -2)
  }

  @Test func withoutAttentionTheyStay() {
    let found = hypothesis(["Tom", "lives"], [], keys: 0)
    #expect(Translation(found, sourceTokens: ["汤"], target: target).text == "<unk> lives")
  }

  @Test func nothing() {
    let empty = Hypothesis(
      tokens: [], logProbability: 0, score: 0, attention: Tensor(repeating: 0, shape: [0, 0]))
    let translation = Translation(empty, sourceTokens: [], target: target)
    #expect(translation.text == "" && translation.tokens == [])
  }

  @Test func misuse() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BeamSearch(beamSize: 2, hypothesisCount: 3)
    }
    let said = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(said.contains("BeamSearch: expected 1...2 hypotheses, got 3"))
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let decoder = TableDecoder.random(sentences: 1, vocabularySize: 6, sourceLength: 2, seed: 0)
      _ = BeamSearch().hypotheses(decoder, sourceLengths: [3])
    }
    let shape = String(decoding: try #require(shapes).standardErrorContent, as: UTF8.self)
    #expect(shape.contains("BeamSearch: expected attention [1, 3], or [1, 0] without, got [1, 2]"))
    let alpha = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BeamSearch(normalization: .wu(alpha: -1))
    }
    #expect(String(decoding: try #require(alpha).standardErrorContent, as: UTF8.self).contains("expected a finite α"))
  }
}
