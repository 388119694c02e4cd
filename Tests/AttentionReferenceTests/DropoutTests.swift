import AttentionReference
import Testing

@Suite struct DropoutTests {
  /// Word j mod 4 of the block at (j ÷ 4, i, h, b) under the two halves of the seed decides, below p·2³².
  @Test func followsTheGenerator() {
    let seed: UInt64 = 0x299F_31D0_A409_3822
    for (b, h, i, j) in [(0, 0, 0, 0), (1, 2, 3, 5), (3, 0, 70_000, 1_000_003), (9, 8, 7, 6)] {
      let block = philox4x32(
        counter: SIMD4(UInt32(j / 4), UInt32(i), UInt32(h), UInt32(b)), key: SIMD2(0xA409_3822, 0x299F_31D0))
      let word = Double(block[j % 4])
      func dropped(threshold: Double) -> Bool {
        isDropped(batch: b, head: h, query: i, key: j, probability: threshold / 0x1p32, seed: seed)
      }
      #expect(!dropped(threshold: word))
      #expect(!dropped(threshold: word + 0.25))
      #expect(dropped(threshold: word + 0.5))
      #expect(dropped(threshold: word + 1))
      #expect(!dropped(threshold: 0))
    }
  }

  /// Of n independent weights, n·(1 − p) ± 5 standard deviations are kept.
  @Test(arguments: [0.1, 0.5, 0.9], UInt64(1)...4) func keepRate(probability: Double, seed: UInt64) {
    var dropped = 0.0
    var total = 0.0
    for b in 0..<2 {
      for h in 0..<3 {
        for i in 0..<40 {
          for j in 0..<50 {
            total += 1
            dropped += isDropped(batch: b, head: h, query: i, key: j, probability: probability, seed: seed) ? 1 : 0
          }
        }
      }
    }
    let deviation = (total * probability * (1 - probability)).squareRoot()
    #expect((dropped - total * probability).magnitude <= 5 * deviation, "seed \(seed)")
  }

  /// Each index and each half of the seed changes the pattern.
  @Test func everyIndexMatters() {
    func pattern(batch: Int = 0, head: Int = 0, query: Int = 0, seed: UInt64 = 1) -> [Bool] {
      (0..<64).map { isDropped(batch: batch, head: head, query: query, key: $0, probability: 0.5, seed: seed) }
    }
    let patterns = [
      pattern(), pattern(batch: 1), pattern(head: 1), pattern(query: 1), pattern(seed: 2), pattern(seed: 1 | 1 << 32),
    ]
    #expect(Set(patterns).count == patterns.count)
  }

  /// With the identity as values the output is the dropped weights.
  @Test(arguments: Implementation.allCases) func dividesWhatItKeeps(implementation: Implementation) throws {
    let size = 12
    var problem = Problem(
      ReferenceShape(
        batch: 2, queryHeads: 2, keyHeads: 2, queryLength: 5, keyLength: size, headDimension: 3, valueDimension: size),
      seed: 8)
    problem.values = (0..<problem.values.count).map { $0 / size % size == $0 % size ? 1 : 0 }
    let undropped = problem.reference(emittingMatrices: true)
    problem.options.dropoutProbability = 0.3
    problem.options.dropoutSeed = 0xDEAD_BEEF_0000_0001
    let matrices = problem.reference(emittingMatrices: true)
    #expect(matrices.weights == undropped.weights && matrices.scores == undropped.scores)
    #expect(matrices.logSumExp == undropped.logSumExp)

    let weights = try #require(undropped.weights)
    let (output, logSumExp) = implementation(problem)
    let bound = problem.roundingBound(unitRoundoff: implementation.unitRoundoff)
    #expect(largestDifference(logSumExp, undropped.logSumExp) <= bound)
    var kept = 0
    for b in 0..<2 {
      for h in 0..<2 {
        for i in 0..<5 {
          for j in 0..<size {
            let pair = problem.pair(batch: b, head: h, query: i, key: j)
            if isDropped(batch: b, head: h, query: i, key: j, probability: 0.3, seed: problem.options.dropoutSeed) {
              #expect(output[pair] == 0)
            } else {
              kept += 1
              #expect((output[pair] - weights[pair] / 0.7).magnitude <= bound)
            }
          }
        }
      }
    }
    #expect(kept > 100 && kept < 220)
  }

  /// The pattern of a pair does not depend on how many batches, heads, queries and keys there are beside it.
  @Test(arguments: Implementation.allCases) func doesNotDependOnTheShape(implementation: Implementation) {
    let large = pattern(sizes: (3, 4, 9, 11), implementation)
    let small = pattern(sizes: (2, 3, 5, 6), implementation)
    #expect(small.count == 2 * 3 * 5 * 6)
    #expect(Set(small.values).count == 2)
    for (pair, dropped) in small {
      #expect(large[pair] == dropped, "\(pair)")
    }
  }

  /// Which pairs are dropped, read off the zeros of the output.
  private func pattern(
    sizes: (batch: Int, heads: Int, queries: Int, keys: Int), _ implementation: Implementation
  ) -> [[Int]: Bool] {
    let Sk = sizes.keys
    var problem = Problem(
      ReferenceShape(
        batch: sizes.batch, queryHeads: sizes.heads, keyHeads: 1, queryLength: sizes.queries, keyLength: Sk,
        headDimension: 2, valueDimension: Sk), seed: 9)
    problem.values = (0..<problem.values.count).map { $0 / Sk % Sk == $0 % Sk ? 1 : 0 }
    problem.options.dropoutProbability = 0.5
    problem.options.dropoutSeed = 42
    let output = implementation(problem).output
    var pattern: [[Int]: Bool] = [:]
    for b in 0..<sizes.batch {
      for h in 0..<sizes.heads {
        for i in 0..<sizes.queries {
          for j in 0..<Sk {
            pattern[[b, h, i, j]] = output[problem.pair(batch: b, head: h, query: i, key: j)] == 0
          }
        }
      }
    }
    return pattern
  }
}
