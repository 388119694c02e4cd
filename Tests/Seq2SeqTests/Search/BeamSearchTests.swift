import Attention
import Seq2Seq
import Testing

/// Search against loops over all sequences and against a beam without a stopping rule. Sums are taken in the same order
/// in double precision: results are the same numbers.
@Suite struct BeamSearchTests {
  static let normalizations: [LengthNormalization] = [
    .none, .length(alpha: 0.5), .length(alpha: 1), .wu(alpha: 0.6), .wu(alpha: 2),
  ]

  @Test(arguments: normalizations, [1, 5])
  func aBeamOfAllFindsTheBestOfAll(normalization: LengthNormalization, count: Int) {
    for seed in UInt64(0)..<20 {
      // 3 words: at most 81 + 27 + 9 + 3 + 1 sequences.
      let decoder = TableDecoder.random(sentences: 3, vocabularySize: 6, sourceLength: 4, seed: seed)
      let search = BeamSearch(
        beamSize: 400, hypothesisCount: count, normalization: normalization,
        lengthLimit: LengthLimit(perSourceToken: 1, constant: 1))
      let found = search.hypotheses(decoder, sourceLengths: [3, 2, 1])
      for (sentence, hypotheses) in found.enumerated() {
        let all = decoder.allSequences(sentence, limit: 4 - sentence) { normalization.divisor(length: $0) }
        #expect(hypotheses.map(Ranked.init) == Array(all.prefix(count)), "seed \(seed), sentence \(sentence)")
        #expect(hypotheses.allSatisfy { $0.isComplete })
      }
    }
  }

  @Test func beamOneIsGreedy() {
    for seed in UInt64(0)..<50 {
      let decoder = TableDecoder.random(sentences: 4, vocabularySize: 9, sourceLength: 3, seed: seed)
      let found = BeamSearch.greedy.hypotheses(decoder, sourceLengths: [3, 3, 2, 1])
      for (sentence, hypotheses) in found.enumerated() {
        var words: [Int] = []
        var sum = 0.0
        while true {
          let row = decoder.scores(sentence, words)
          let token =
            words.count == 2 * [3, 3, 2, 1][sentence] + 20
            ? Vocabulary.end : ([Vocabulary.end] + decoder.words).max { row[$0] < row[$1] }!
          sum += Double(row[token])
          if token == Vocabulary.end { break }
          words.append(token)
        }
        #expect(hypotheses.map(\.tokens) == [words], "seed \(seed), sentence \(sentence)")
        #expect(hypotheses.map(\.logProbability) == [sum], "seed \(seed), sentence \(sentence)")
      }
    }
  }

  @Test(arguments: normalizations, [1, 2, 3, 7])
  func stoppingLosesNothing(normalization: LengthNormalization, beamSize: Int) {
    var saved = 0
    for seed in UInt64(0)..<20 {
      for count in Set([1, beamSize]) {
        let decoder = TableDecoder.random(sentences: 3, vocabularySize: 8, sourceLength: 5, seed: seed)
        let search = BeamSearch(
          beamSize: beamSize, hypothesisCount: count, normalization: normalization,
          lengthLimit: LengthLimit(perSourceToken: 2, constant: 2))
        let found = search.hypotheses(decoder, sourceLengths: [5, 4, 2])
        for (sentence, hypotheses) in found.enumerated() {
          let limit = [12, 10, 6][sentence]
          let plain = decoder.plainBeam(sentence, beamSize: beamSize, count: count, limit: limit) {
            normalization.divisor(length: $0)
          }
          #expect(hypotheses.map(Ranked.init) == plain, "seed \(seed), \(count) of \(beamSize), sentence \(sentence)")
        }
        saved += 13 - decoder.calls.rows.withLock { $0.count }
      }
    }
    // Without the rule a beam above 1 goes on to the limit most times.
    #expect(saved > 0)
  }

  @Test func attentionFollowsTheWords() {
    var moves = 0
    for seed in UInt64(0)..<20 {
      let decoder = TableDecoder.random(sentences: 3, vocabularySize: 8, sourceLength: 5, seed: seed)
      let lengths = [5, 3, 1]
      for (sentence, hypotheses) in BeamSearch(beamSize: 4, hypothesisCount: 4)
        .hypotheses(decoder, sourceLengths: lengths).enumerated()
      {
        #expect(Set(hypotheses.map(\.tokens)).count == hypotheses.count)
        for hypothesis in hypotheses {
          let rows = hypothesis.tokens.indices.flatMap {
            TableDecoder.attention(sentence, Array(hypothesis.tokens[..<$0]), 5).prefix(lengths[sentence])
          }
          #expect(
            hypothesis.attention == Tensor(rows, shape: [hypothesis.tokens.count, lengths[sentence]]),
            "seed \(seed), sentence \(sentence)")
        }
      }
      moves += decoder.calls.moves.withLock { $0 }
    }
    // Beams did cross or branch: the order is tested.
    #expect(moves > 0)
  }

  @Test func aSentenceDoesNotDependOnItsBatch() {
    for seed in UInt64(0)..<10 {
      let decoder = TableDecoder.random(sentences: 4, vocabularySize: 12, sourceLength: 6, seed: seed)
      let search = BeamSearch(beamSize: 3, hypothesisCount: 2)
      let together = search.hypotheses(decoder, sourceLengths: [6, 0, 3, 2])
      for sentence in [0, 2, 3] {
        var alone = decoder
        alone.sentences = 1
        alone.scores = { decoder.scores(sentence, $1) }
        let found = search.hypotheses(alone, sourceLengths: [[6, 0, 3, 2][sentence]])
        #expect(found[0].map(Ranked.init) == together[sentence].map(Ranked.init), "seed \(seed), sentence \(sentence)")
      }
    }
  }

  @Test func endedSentencesCostNothing() {
    // Sentence s says s words; other continuations are impossible.
    let decoder = TableDecoder(sentences: 4, vocabularySize: 5, sourceLength: 4) { sentence, words in
      var row = [Float](repeating: -.infinity, count: 5)
      row[words.count < sentence ? 4 : Vocabulary.end] = 0
      return row
    }
    let found = BeamSearch(beamSize: 3).hypotheses(decoder, sourceLengths: [4, 4, 4, 4])
    #expect(found.map { $0.map(\.tokens.count) } == [[0], [1], [2], [3]])
    #expect(decoder.calls.rows.withLock { $0 } == [4, 3, 2, 1])
  }
}
