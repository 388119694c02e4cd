import Attention
import AttentionReference
import Testing

@Suite struct DropoutTests {
  /// Random keys, but values that read out the weights: column j of the output is the weight of key j.
  private func readingWeights(probability: Double, seed: UInt64) -> Problem {
    var problem = Problem(batch: 2, heads: 3, keyHeads: 1, queries: 51, keys: 131, dimension: 2)
    problem.readOutWeights()
    problem.options.dropoutProbability = probability
    problem.options.dropoutSeed = seed
    return problem
  }

  @Test("Line 9: dropout agrees with the oracle", arguments: [0.1, 0.5, 0.97])
  func agrees(probability: Double) throws {
    let options = ReferenceOptions(
      causal: true, queryOffsets: [80], dropoutProbability: probability, dropoutSeed: 0xFEED_0000_0001)
    try expectAgreement(
      Problem(batch: 2, heads: 4, keyHeads: 2, queries: 51, keys: 131, dimension: 4, options: options))
  }

  @Test("Line 9: pair (b, h, i, j) is dropped as the generator says, after the softmax", arguments: Kernel.all)
  func mask(kernel: Kernel) throws {
    let problem = readingWeights(probability: 0.3, seed: 0x1234_5678_9ABC_DEF0)
    var undropped = problem
    undropped.options.dropoutProbability = 0
    let kept = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).output
    let all = try undropped.fused(as: kernel.type, instructionSet: kernel.instructionSet).output
    #expect(all.allSatisfy { $0 > 0 })
    var index = 0
    var wrong = 0
    for b in 0..<2 {
      for h in 0..<3 {
        for i in 0..<51 {
          for j in 0..<131 {
            let dropped = isDropped(
              batch: b, head: h, query: i, key: j, probability: 0.3, seed: problem.options.dropoutSeed)
            // Kept weights ÷ (1 − p): half an ulp of each result and a few roundings between them.
            let expected = dropped ? 0 : all[index] / 0.7
            let slack =
              3 * kernel.type.scalar.halfUlp(at: expected) + 8 * kernel.type.unitRoundoff * expected
            if !((kept[index] - expected).magnitude <= slack) || (kept[index] == 0) != dropped { wrong += 1 }
            index += 1
          }
        }
      }
    }
    #expect(index == kept.count && wrong == 0)
  }

  @Test("Line 9: the mask is the same whatever the number of threads", arguments: Kernel.all)
  func threads(kernel: Kernel) throws {
    let problem = readingWeights(probability: 0.5, seed: 7)
    let one = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, threads: 1).bits
    for threads in [2, 3, 7] {
      let more = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, threads: threads).bits
      #expect(more == one)
    }
  }

  /// 40,086 coins: the share kept is within 5 standard deviations √(p(1 − p)/n) of 1 − p.
  @Test("Line 9: the share of weights kept is 1 − p", arguments: [0.05, 0.5, 0.9])
  func keepRate(probability: Double) throws {
    for seed in [UInt64(0), 1, .max] {
      let output = try readingWeights(probability: probability, seed: seed).fused().output
      let share = Double(output.count { $0 > 0 }) / Double(output.count)
      let deviation = (probability * (1 - probability) / Double(output.count)).squareRoot()
      #expect((share - (1 - probability)).magnitude <= 5 * deviation)
    }
  }

  @Test("Line 9: another seed is another mask, probability 0 is none")
  func seeds() throws {
    let pattern = { (seed: UInt64) in
      try readingWeights(probability: 0.5, seed: seed).fused().output.map { $0 > 0 }
    }
    let (first, second, high) = (try pattern(1), try pattern(2), try pattern(1 << 32))
    #expect(first != second && first != high && second != high)
    let problem = Problem(queries: 5, keys: 9)
    let none = AttentionOptions(dropout: AttentionDropout(probability: 0, seed: 5))
    let (q, k, v) = problem.tensors
    #expect(
      scaledDotProductAttention(queries: q, keys: k, values: v, options: none)
        == scaledDotProductAttention(queries: q, keys: k, values: v))
  }
}
