import Attention
import Foundation
import Seq2Seq
import Synchronization
import Testing

/// A decoder whose scores and attention are functions of a sentence's number and the words so far.
struct TableDecoder: SequenceDecoder {
  /// Of each row the sentence's number and the words so far; nil before `<s>`.
  typealias State = [(sentence: Int, words: [Int]?)]

  var sentences: Int
  var vocabularySize: Int
  /// Tk of `attention`.
  var sourceLength: Int
  /// [V] of a row.
  var scores: @Sendable (_ sentence: Int, _ words: [Int]) -> [Float]
  var calls = Calls()

  /// What a decoder was asked.
  final class Calls: Sendable {
    let rows = Mutex<[Int]>([])
    /// Selections that move or repeat rows.
    let moves = Mutex(0)
  }

  func initialState() -> State { (0..<sentences).map { ($0, nil) } }

  func step(_ tokens: [Int], _ state: State) -> (logProbabilities: Tensor, attention: Tensor, state: State) {
    #expect(tokens.count == state.count)
    calls.rows.withLock { $0.append(tokens.count) }
    let next = zip(state, tokens).map { row, token in
      if row.words == nil { #expect(token == Vocabulary.start) }
      return (sentence: row.sentence, words: row.words.map { $0 + [token] } ?? [])
    }
    return (
      Tensor(next.flatMap { scores($0.sentence, $0.words) }, shape: [next.count, vocabularySize]),
      Tensor(
        next.flatMap { Self.attention($0.sentence, $0.words, sourceLength) }, shape: [next.count, sourceLength]),
      next.map { ($0.sentence, $0.words) }
    )
  }

  func select(_ rows: [Int], of state: State) -> State {
    calls.moves.withLock { $0 += rows == rows.sorted() && Set(rows).count == rows.count ? 0 : 1 }
    return rows.map { state[$0] }
  }

  /// A row of attention: numbers in 0...1 that tell sentences and words apart.
  static func attention(_ sentence: Int, _ words: [Int], _ width: Int) -> [Float] {
    var generator = SeededGenerator(seed: key(7, sentence, words))
    return (0..<width).map { _ in Float.random(in: 0...1, using: &generator) }
  }

  /// Words drawn at random; the end is as probable as a word.
  static func random(
    sentences: Int, vocabularySize: Int, sourceLength: Int, seed: UInt64, sharpness: Float = 2
  ) -> TableDecoder {
    TableDecoder(sentences: sentences, vocabularySize: vocabularySize, sourceLength: sourceLength) { sentence, words in
      var generator = SeededGenerator(seed: key(seed, sentence, words))
      return logSoftmax((0..<vocabularySize).map { _ in Float.random(in: -sharpness...sharpness, using: &generator) })
    }
  }

  private static func key(_ seed: UInt64, _ sentence: Int, _ words: [Int]) -> UInt64 {
    ([sentence] + words).reduce(seed) { key, word in
      var generator = SeededGenerator(seed: key ^ UInt64(truncatingIfNeeded: word + 1))
      return generator.next()
    }
  }
}

/// x − log Σ e^x.
func logSoftmax(_ scores: [Float]) -> [Float] {
  let sum = scores.reduce(0) { $0 + exp(Double($1)) }
  return scores.map { Float(Double($0) - log(sum)) }
}

/// A sequence with its probability and rank.
struct Ranked: Equatable {
  var tokens: [Int]
  var logProbability: Double
  var score: Double

  init(tokens: [Int], logProbability: Double, score: Double) {
    self.tokens = tokens
    self.logProbability = logProbability
    self.score = score
  }

  init(_ hypothesis: Hypothesis) {
    self.init(tokens: hypothesis.tokens, logProbability: hypothesis.logProbability, score: hypothesis.score)
  }
}

extension TableDecoder {
  /// The numbers that are words here.
  var words: [Int] { [Vocabulary.unknown] + Array(4..<vocabularySize) }

  /// All sequences of at most `limit` words, the best first.
  func allSequences(_ sentence: Int, limit: Int, divisor: (Int) -> Double) -> [Ranked] {
    var all: [Ranked] = []
    func visit(_ prefix: [Int], _ sum: Double) {
      let row = scores(sentence, prefix)
      let ended = sum + Double(row[Vocabulary.end])
      all.append(Ranked(tokens: prefix, logProbability: ended, score: ended / divisor(prefix.count + 1)))
      if prefix.count == limit { return }
      for word in words { visit(prefix + [word], sum + Double(row[word])) }
    }
    visit([], 0)
    return all.sorted { $0.score > $1.score }
  }

  /// Beam search as one would write it first: sequences in arrays, every step to the limit.
  func plainBeam(_ sentence: Int, beamSize: Int, count: Int, limit: Int, divisor: (Int) -> Double) -> [Ranked] {
    var beam: [(words: [Int], sum: Double)] = [([], 0)]
    var ended: [Ranked] = []
    for length in 0...limit {
      var next: [(words: [Int], sum: Double)] = []
      for (prefix, sum) in beam {
        let row = scores(sentence, prefix)
        for token in [Vocabulary.unknown, Vocabulary.end] + Array(4..<vocabularySize)
        where length < limit || token == Vocabulary.end {
          next.append((prefix + [token], sum + Double(row[token])))
        }
      }
      // Random scores have no ties.
      next.sort { $0.sum > $1.sum }
      beam = []
      for (sequence, sum) in next.prefix(beamSize) {
        if sequence.last == Vocabulary.end {
          ended.append(Ranked(tokens: sequence.dropLast(), logProbability: sum, score: sum / divisor(sequence.count)))
        } else {
          beam.append((sequence, sum))
        }
      }
    }
    return Array(ended.sorted { $0.score > $1.score }.prefix(count))
  }
}
