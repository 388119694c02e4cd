import Attention
import Foundation
import Seq2Seq
import Testing

/// Cases made by hand.
@Suite struct SearchCaseTests {
  private let a = 4
  private let b = 5
  private let end = Vocabulary.end

  /// A decoder of one sentence whose probabilities are in a table by the words so far; elsewhere only the end can come.
  private func decoder(_ table: [[Int]: [Int: Float]], size: Int = 6) -> TableDecoder {
    TableDecoder(sentences: 1, vocabularySize: size, sourceLength: 3) { _, words in
      var row = [Float](repeating: -.infinity, count: size)
      for (token, probability) in table[words] ?? [Vocabulary.end: 1] { row[token] = log(probability) }
      return row
    }
  }

  private func best(_ decoder: TableDecoder, _ search: BeamSearch) -> [[Int]] {
    search.hypotheses(decoder, sourceLengths: [3])[0].map(\.tokens)
  }

  /// The probable first word leads to improbable ones.
  @Test func aBeamFindsWhatGreedyMisses() {
    let decoder = decoder([[]: [a: 0.6, b: 0.4], [a]: [a: 0.4, b: 0.3, end: 0.3], [b]: [b: 0.9, end: 0.1]])
    #expect(best(decoder, .greedy) == [[a, a]])
    #expect(best(decoder, BeamSearch(beamSize: 2, normalization: .none)) == [[b, b]])
  }

  /// 0.5 for no word against 0.5 · 0.9³ for two words and the end: log 0.5 ÷ 1 < (log 0.5 + 2 log 0.9) ÷ 3.
  @Test func normalizationDecidesBetweenLengths() {
    let decoder = decoder([[]: [end: 0.5, a: 0.5], [a]: [a: 0.9, b: 0.1], [a, a]: [end: 0.9, b: 0.1]])
    #expect(best(decoder, BeamSearch(beamSize: 4, normalization: .none)) == [[]])
    #expect(best(decoder, BeamSearch(beamSize: 4, normalization: .length(alpha: 0))) == [[]])
    #expect(best(decoder, BeamSearch(beamSize: 4, normalization: .length(alpha: 1))) == [[a, a]])
    let found = BeamSearch(beamSize: 4, normalization: .length(alpha: 1)).hypotheses(decoder, sourceLengths: [3])[0][0]
    // Float's rounding of three logarithms below 1.
    #expect(abs(found.logProbability - (log(0.5) + 2 * log(0.9))) < 3 * 0x1p-24)
    #expect(found.score == found.logProbability / 3)
  }

  @Test func divisors() {
    #expect(LengthNormalization.none.divisor(length: 9) == 1)
    #expect(LengthNormalization.length(alpha: 0.5).divisor(length: 9) == 3)
    #expect(LengthNormalization.wu(alpha: 0.6).divisor(length: 1) == 1)
    #expect(LengthNormalization.wu(alpha: 2).divisor(length: 7) == 4)
  }

  /// Of equal scores, the earlier end, the better predecessor and the smaller token.
  @Test func tiesAreBrokenByOrder() {
    let even = TableDecoder(sentences: 2, vocabularySize: 7, sourceLength: 1) { _, _ in
      [Float](repeating: log(0.25), count: 7)
    }
    let search = BeamSearch(
      beamSize: 5, hypothesisCount: 5, normalization: .length(alpha: 1),
      lengthLimit: LengthLimit(perSourceToken: 0, constant: 2))
    // <unk> 1, </s> 3, 4, 5, 6 are the five of the first step; then the five of [1].
    let expected = [[], [1], [1, 1], [1, 4], [1, 5]]
    for hypotheses in search.hypotheses(even, sourceLengths: [1, 1]) {
      #expect(hypotheses.map(\.tokens) == expected)
      #expect(Set(hypotheses.map(\.score)) == [Double(log(Float(0.25)))])
    }
  }

  @Test func specialsAreNoWords() {
    let decoder = TableDecoder(sentences: 1, vocabularySize: 5, sourceLength: 1) { _, words in
      words.isEmpty ? [0, -2, 0, -3, -2.5] : [0, -9, 0, -0.1, -9]
    }
    let search = BeamSearch(beamSize: 3, hypothesisCount: 3, normalization: .none)
    #expect(search.hypotheses(decoder, sourceLengths: [1])[0].map(\.tokens) == [[1], [4], []])
  }

  @Test func theLimitEndsHypotheses() {
    let endless = TableDecoder(sentences: 2, vocabularySize: 5, sourceLength: 3) { _, _ in
      [-.infinity, -9, -.infinity, -7, -0.001]
    }
    for beamSize in [1, 2] {
      let limit = LengthLimit(perSourceToken: 1.5, constant: 1)
      let found = BeamSearch(beamSize: beamSize, normalization: .length(alpha: 1), lengthLimit: limit)
        .hypotheses(endless, sourceLengths: [3, 2])
      #expect(found.map { $0[0].tokens } == [[4, 4, 4, 4, 4], [4, 4, 4, 4]])
      #expect(found.allSatisfy { $0[0].isComplete })
      #expect(abs(found[0][0].logProbability + 7.005) < 1e-6)
    }
    let none = BeamSearch(lengthLimit: LengthLimit(perSourceToken: 0, constant: 0))
    #expect(none.hypotheses(endless, sourceLengths: [3, 3]).map { $0.map(\.tokens) } == [[[]], [[]]])
    #expect(LengthLimit(perSourceToken: 1e300, constant: .max).words(sourceLength: .max) > 0)
  }

  @Test func emptySourcesAreNotAsked() {
    let decoder = TableDecoder.random(sentences: 3, vocabularySize: 6, sourceLength: 2, seed: 1)
    let found = BeamSearch(beamSize: 2, hypothesisCount: 2).hypotheses(decoder, sourceLengths: [0, 2, 0])
    for empty in [found[0], found[2]] {
      #expect(empty.map(\.tokens) == [[]] && empty[0].logProbability == 0 && empty[0].isComplete)
      #expect(empty[0].attention.shape == [0, 0])
    }
    #expect(found[1].count == 2)
    #expect(decoder.calls.rows.withLock { $0[0] } == 1)
    #expect(BeamSearch().hypotheses(decoder, sourceLengths: []) == [])
    let calls = decoder.calls.rows.withLock { $0.count }
    #expect(BeamSearch().hypotheses(decoder, sourceLengths: [0, 0, 0]).count == 3)
    #expect(decoder.calls.rows.withLock { $0.count } == calls)
  }

  /// What is NaN or impossible is not chosen, and a sentence without a way on keeps what it has.
  @Test func nothingFinite() {
    for bad in [Float.nan, -.infinity] {
      let dead = TableDecoder(sentences: 2, vocabularySize: 6, sourceLength: 2) { sentence, words in
        var row = [Float](repeating: bad, count: 6)
        if sentence == 0 || words.isEmpty { row[4] = -0.5 }
        if sentence == 0 && words.count == 2 { row[Vocabulary.end] = -0.25 }
        return row
      }
      for search in [BeamSearch.greedy, BeamSearch(beamSize: 3, hypothesisCount: 3)] {
        let found = search.hypotheses(dead, sourceLengths: [2, 2])
        #expect(found[0][0].isComplete && found[0][0].tokens == [4, 4])
        #expect(found[0][0].logProbability == -1.25)
        #expect(found[1].map(\.tokens) == [[4]] && !found[1][0].isComplete)
        #expect(found[1][0].logProbability == -0.5)
      }
      let nothing = TableDecoder(sentences: 1, vocabularySize: 6, sourceLength: 2) { _, _ in
        [Float](repeating: bad, count: 6)
      }
      let found = BeamSearch().hypotheses(nothing, sourceLengths: [2])
      #expect(found[0].map(\.tokens) == [[]] && !found[0][0].isComplete)
      // The limit, where only the end is allowed.
      let limited = BeamSearch(lengthLimit: LengthLimit(perSourceToken: 0, constant: 1))
        .hypotheses(dead, sourceLengths: [2, 2])
      #expect(limited.map { $0[0].tokens } == [[4], [4]])
      #expect(limited.allSatisfy { !$0[0].isComplete })
    }
  }

  /// Probabilities above 1, by rounding, would let longer ones win without end.
  @Test func probabilitiesAboveOneCountAsOne() {
    let decoder = TableDecoder(sentences: 1, vocabularySize: 5, sourceLength: 1) { _, words in
      [-.infinity, -.infinity, -.infinity, words.count == 2 ? 1e-6 : -.infinity, 1e-7]
    }
    let found = BeamSearch(beamSize: 2).hypotheses(decoder, sourceLengths: [1])[0][0]
    #expect(found.tokens == [4, 4] && found.logProbability == 0 && found.score == 0)
  }

  @Test func aDecoderWithoutAttention() {
    let decoder = TableDecoder.random(sentences: 2, vocabularySize: 6, sourceLength: 0, seed: 3)
    let found = BeamSearch(beamSize: 2).hypotheses(decoder, sourceLengths: [3, 2])
    for hypothesis in found.joined() {
      #expect(hypothesis.attention.shape == [hypothesis.tokens.count, 0])
      #expect(hypothesis.mostAttended == hypothesis.tokens.map { _ in nil })
    }
  }

  @Test func theMostAttendedSource() {
    let attention = Tensor([0.1, 0.6, 0.3, 0.4, 0.2, 0.4, 0, 0, 0, .nan, 0.1, 0.2], shape: [4, 3])
    let hypothesis = Hypothesis(tokens: [4, 5, 1, 1], logProbability: -1, score: -1, attention: attention)
    #expect(hypothesis.mostAttended == [1, 0, nil, 2])
  }

  /// Chains of 30,000 words, and all that branched off, are freed without recursion.
  @Test func longTranslations() {
    struct Repeating: SequenceDecoder {
      var vocabularySize: Int { 6 }
      func initialState() -> Int { 1 }
      func step(_ tokens: [Int], _ rows: Int) -> (logProbabilities: Tensor, attention: Tensor, state: Int) {
        let row: [Float] = [-9, -9, -9, -.infinity, -1, -2]
        return (
          Tensor((0..<rows).flatMap { _ in row }, shape: [rows, 6]), Tensor(repeating: 1, shape: [rows, 1]), rows
        )
      }
      func select(_ rows: [Int], of state: Int) -> Int { rows.count }
    }
    let search = BeamSearch(
      beamSize: 2, normalization: .none, lengthLimit: LengthLimit(perSourceToken: 30_000, constant: 0))
    #expect(search.hypotheses(Repeating(), sourceLengths: [1])[0][0].tokens.count == 30_000)
  }
}
