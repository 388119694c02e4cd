import Attention
import Testing

@Suite struct HardAttentionTests {
  @Test func argMax() throws {
    let recorded = try AlignmentCase("hard")
    let layer = HardAttention(GeneralAttention(weight: try recorded.input("weight")))
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.weight, is: "weight_gradient")
    let (queries, keys) = (try recorded.input("queries"), try recorded.input("keys"))
    let weights = layer.weights(queries, keys: keys, mask: try recorded.mask())
    let positions = layer.positions(queries, keys: keys, mask: try recorded.mask())
    #expect(Set(positions).count > 2)
    for (row, position) in positions.enumerated() {
      #expect(weights[row / 4, row % 4, try #require(position)] == 1)
    }
  }

  @Test func nothingToChoose() {
    var numbers = AlignmentNumbers(seed: 4)
    let (queries, keys) = (numbers.tensor([2, 3]), numbers.tensor([2, 4, 3]))
    let layer = HardAttention(DotProductAttention())
    let mask = AttentionMask.keyLengths([0, 4])
    #expect(layer.positions(queries, keys: keys, mask: mask)[0] == nil)
    #expect(layer.positions(queries, keys: keys, mask: mask)[1] != nil)
    let (sample, pullback) = layer.sampleWithPullback(queries, keys: keys, mask: mask, seed: 1)
    #expect(sample.positions[0] == nil && sample.probabilities[0] == 0)
    #expect(sample.context.sequence(0).scalars == [0, 0, 0] && sample.context.sequence(1).scalars != [0, 0, 0])
    let gradients = pullback(Tensor(repeating: 1, shape: [2, 3]), Tensor(repeating: 1, shape: [2]))
    #expect(gradients.queries.sequence(0).scalars == [0, 0, 0] && gradients.queries.sequence(1).scalars != [0, 0, 0])
    #expect(gradients.keys.sequence(0).scalars.allSatisfy { $0 == 0 })
  }

  /// A key is drawn as often as its weight says: within 5 standard deviations √(α(1 − α)/n).
  @Test func samplesFollowTheWeights() throws {
    var numbers = AlignmentNumbers(seed: 5)
    let (queries, keys) = (numbers.tensor([2, 3]), numbers.tensor([2, 4, 3]))
    let soft = ScaledDotProductAttention(scale: 2)
    let weights = soft.weights(queries, keys: keys, mask: .keyLengths([4, 3]))
    let draws = 1000
    var mismatches = 0
    var counts = [Int](repeating: 0, count: 8)
    for seed in 0..<draws {
      let sample = HardAttention(soft).sample(queries, keys: keys, mask: .keyLengths([4, 3]), seed: UInt64(seed))
      for (row, position) in sample.positions.enumerated() {
        let position = try #require(position)
        counts[row * 4 + position] += 1
        let isChosen = (0..<3).allSatisfy { sample.context[row, $0] == keys[row, position, $0] }
        if !isChosen || sample.probabilities[row] != weights[row, position] { mismatches += 1 }
      }
    }
    #expect(mismatches == 0 && counts.reduce(0, +) == 2 * draws)
    #expect(counts[7] == 0 && weights[1, 3] == 0)
    for (index, count) in counts.enumerated() {
      let weight = Double(weights.scalars[index])
      let deviation = (weight * (1 - weight) / Double(draws)).squareRoot()
      #expect((Double(count) / Double(draws) - weight).magnitude <= 5 * deviation)
    }
  }

  @Test func aSeedDrawsTheSame() {
    var numbers = AlignmentNumbers(seed: 6)
    let (queries, keys) = (numbers.tensor([2, 8, 3]), numbers.tensor([2, 9, 3]))
    let layer = HardAttention(DotProductAttention())
    let sample = layer.sample(queries, keys: keys, seed: 7)
    #expect(sample == layer.sample(queries, keys: keys, seed: 7))
    #expect(sample == layer.sampleWithPullback(queries, keys: keys, seed: 7).sample)
    #expect(sample.positions != layer.sample(queries, keys: keys, seed: 8).positions)
    #expect(sample.context.shape == [2, 8, 3] && sample.probabilities.shape == [2, 8])
  }

  /// The loss of a query is its context's squared distance from a target, so the expected loss is soft attention over
  /// the losses of the keys, whose gradient is exact. Each component of the estimate's mean over n seeds lies within 5
  /// standard errors s/√n of it, s² the sample variance (and the rounding of the exact one, 2⁻¹⁶ of its largest).
  @Test(arguments: [0, 0.7] as [Float]) func scoreFunctionGradient(baseline: Float) throws {
    var numbers = AlignmentNumbers(seed: 9)
    let (queries, keys, values) = (numbers.tensor([1, 2, 3]), numbers.tensor([1, 4, 3]), numbers.tensor([1, 4, 2]))
    let target: [Float] = [0.5, -0.25]
    let soft = GeneralAttention(weight: numbers.tensor([3, 3]))
    let losses = (0..<4).map { j in
      (0..<2).reduce(Float(0)) { $0 + (values[0, j, $1] - target[$1]) * (values[0, j, $1] - target[$1]) }
    }
    let expectedLoss = soft.valueWithPullback(queries, keys: keys, values: Tensor(losses, shape: [1, 4, 1]))
    let exact = expectedLoss.pullback(Tensor([1, 1], shape: [1, 2, 1]))
    let weights = soft.weights(queries, keys: keys)
    let exactValues = (0..<4).flatMap { j in
      (0..<2).map { (weights[0, 0, j] + weights[0, 1, j]) * 2 * (values[0, j, $0] - target[$0]) }
    }
    let truth = exact.parameters.weight.scalars + exact.queries.scalars + exact.keys.scalars + exactValues

    let draws = 2000
    var (sums, squares) = ([Double](repeating: 0, count: truth.count), [Double](repeating: 0, count: truth.count))
    for seed in 0..<draws {
      let (sample, pullback) = HardAttention(soft).sampleWithPullback(
        queries, keys: keys, values: values, seed: UInt64(seed))
      let outputGradient = (0..<4).map { 2 * (sample.context.scalars[$0] - target[$0 % 2]) }
      let advantages = sample.positions.map { losses[$0 ?? 0] - baseline }
      let gradients = pullback(Tensor(outputGradient, shape: [1, 2, 2]), Tensor(advantages, shape: [1, 2]))
      let estimate =
        gradients.parameters.weight.scalars + gradients.queries.scalars + gradients.keys.scalars
        + (try #require(gradients.values)).scalars
      for (index, number) in estimate.enumerated() {
        sums[index] += Double(number)
        squares[index] += Double(number) * Double(number)
      }
    }
    let n = Double(draws)
    let rounding = 0x1p-16 * Double(truth.map(\.magnitude).max() ?? 0)
    var clear = 0
    for (index, expected) in truth.enumerated() {
      let mean = sums[index] / n
      let variance = (squares[index] / n - mean * mean) * n / (n - 1)
      let bound = 5 * (variance / n).squareRoot() + rounding
      #expect(variance > 0 && (mean - Double(expected)).magnitude <= bound, "component \(index)")
      if Double(expected).magnitude > 2 * bound { clear += 1 }
    }
    #expect(clear > truth.count / 2)
  }

  @Test func misuse() async throws {
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = HardAttention(DotProductAttention())
      _ = layer(Tensor(repeating: 0, shape: [2, 8]), keys: Tensor(repeating: 0, shape: [3, 5, 8]))
    }
    try expect(shapes, says: "HardAttention: expected queries [B, H]", "got queries [2, 8], keys [3, 5, 8]")
    let losses = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 3, 4])
      let pullback = HardAttention(DotProductAttention()).sampleWithPullback(x, keys: x, seed: 0).pullback
      _ = pullback(x, Tensor(repeating: 0, shape: [2]))
    }
    try expect(losses, says: "HardAttention: expected losses [2, 3], one a query, got [2]")
  }
}
