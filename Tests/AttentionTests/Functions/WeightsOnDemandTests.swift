import Attention
import Testing

/// Parts of the weights against all of them, which AttentionWeightsTests holds against the oracle.
@Suite struct WeightsOnDemandTests {
  private let queries, keys, all: Tensor
  private let mask = AttentionMask.causal(queryOffset: 90) & .keyLengths([131, 60])

  init() {
    let problem = Problem(batch: 2, heads: 4, keyHeads: 2, queries: 70, keys: 131, dimension: 6).rounded(to: .float32)
    (queries, keys, _) = problem.tensors
    all = attentionWeights(queries: queries, keys: keys, mask: mask)
  }

  private func row(_ weights: Tensor, _ b: Int, _ h: Int, _ i: Int) -> [Float] {
    let first = ((b * weights.shape[1] + h) * weights.shape[2] + i) * weights.shape[3]
    return Array(weights.scalars[first..<first + weights.shape[3]])
  }

  @Test func chosenRowsAndHeads() {
    let (rows, heads) = ([69, 3, 4, 5, 3], [2, 0])
    let part = AttentionWeights(queries: queries, keys: keys, mask: mask).matrix(rows: rows, heads: heads)
    #expect(part.shape == [2, 2, 5, 131])
    for b in 0..<2 {
      for (h, head) in heads.enumerated() {
        for (r, position) in rows.enumerated() { #expect(row(part, b, h, r) == row(all, b, head, position)) }
      }
    }
  }

  /// The log-sum-exp that the forward pass returned serves as well as one computed for the purpose.
  @Test func givenLogSumExp() {
    let (_, logSumExp) = scaledDotProductAttentionWithLogSumExp(
      queries: queries, keys: keys, values: Tensor(repeating: 1, shape: [2, 2, 131, 3]), mask: mask)
    let weights = AttentionWeights(queries: queries, keys: keys, logSumExp: logSumExp, mask: mask)
    #expect(weights.matrix(rows: [1]) == AttentionWeights(queries: queries, keys: keys, mask: mask).matrix(rows: [1]))
    #expect((weights.batch, weights.heads, weights.queryLength, weights.keyLength) == (2, 4, 70, 131))
  }

  /// Of 3 weights of at most 1: two additions and a division, each half a unit in the last place.
  @Test func meansOverHeads() {
    let mean = AttentionWeights(queries: queries, keys: keys, mask: mask)
      .matrix(rows: [7, 60], heads: [3, 1, 0], averaged: true)
    #expect(mean.shape == [2, 1, 2, 131])
    for b in 0..<2 {
      for (r, position) in [7, 60].enumerated() {
        for j in 0..<131 {
          let sum = [3, 1, 0].reduce(0.0) { $0 + Double(all[b, $1, position, j]) }
          #expect((Double(mean[b, 0, r, j]) - sum / 3).magnitude <= 3 * 0x1p-24 * sum / 3)
        }
      }
    }
  }

  /// Summed in `Double` and rounded once.
  @Test func sumsOfColumns() {
    let sums = AttentionWeights(queries: queries, keys: keys, mask: mask).columnSums()
    #expect(sums.shape == [2, 4, 131])
    for b in 0..<2 {
      for h in 0..<4 {
        for j in 0..<131 {
          let sum = (0..<70).reduce(0.0) { $0 + Double(all[b, h, $1, j]) }
          #expect((Double(sums[b, h, j]) - sum).magnitude <= 0x1.1p-24 * sum)
        }
      }
    }
  }

  @Test(arguments: [0, 1, 5, 131, 140]) func largestOfRows(k: Int) {
    let rows = [0, 12, 69]
    let largest = AttentionWeights(queries: queries, keys: keys, mask: mask).largest(k, rows: rows, heads: [1])
    #expect(largest.weights.shape == [2, 1, 3, k])
    for b in 0..<2 {
      for (r, position) in rows.enumerated() {
        let weights = row(all, b, 1, position)
        let ranked = weights.indices.filter { weights[$0] > 0 }
          .sorted { (weights[$0], $1) > (weights[$1], $0) }.prefix(k)
        let missing = k - ranked.count
        let first = (b * 3 + r) * k
        #expect(
          largest.keys[first..<first + k].elementsEqual(ranked.map { $0 } + [Int?](repeating: nil, count: missing)))
        #expect(row(largest.weights, b, 0, r) == ranked.map { weights[$0] } + [Float](repeating: 0, count: missing))
      }
    }
  }

  /// 32,768 × 32,768 weights would take 4 GiB, and their rows one by one minutes: what is asked for is all that is made.
  @Test func longSequence() {
    let length = 32_768
    var numbers = SeededGenerator(seed: 5)
    let keys = Tensor(
      (0..<length * 8).map { _ in Float.random(in: -1...1, using: &numbers) }, shape: [1, 1, length, 8])
    let lse = Tensor(repeating: 30, shape: [1, 1, length])
    let weights = AttentionWeights(queries: keys, keys: keys, logSumExp: lse, scale: 20, mask: .causal)
    let largest = weights.largest(1, rows: [length - 1, 17])
    // The largest product of such a vector is most often with itself, but need not be: the row says.
    for (r, position) in [length - 1, 17].enumerated() {
      let row = weights.matrix(rows: [position]).scalars
      #expect(row[largest.keys[r]!] == row.max() && largest.weights.scalars[r] == row.max())
    }
    #expect(weights.columnSums(rows: [0, 1]).scalars[2...].allSatisfy { $0 == 0 })
  }

  @Test func misuse() async throws {
    let one = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [1, 2, 3, 4])
      _ = AttentionWeights(queries: x, keys: x).matrix(rows: [0, 3])
    }
    let two = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [1, 2, 3, 4])
      _ = AttentionWeights(queries: x, keys: x).columnSums(heads: [2])
    }
    let three = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [1, 2, 3, 4])
      _ = AttentionWeights(queries: x, keys: x, logSumExp: Tensor(repeating: 0, shape: [1, 2, 4]))
    }
    for (exit, text) in [
      (one, "rows [0, 3] of 3"), (two, "heads [2] of 2"), (three, "expected a log-sum-exp [1, 2, 3]"),
    ] {
      #expect(String(decoding: try #require(exit).standardErrorContent, as: UTF8.self).contains(text))
    }
  }
}
