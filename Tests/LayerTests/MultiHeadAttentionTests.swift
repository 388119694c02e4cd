import Attention
import Testing

@Suite struct MultiHeadAttentionTests {
  static let layers = [
    MultiHeadAttention(dimensions: 12, numHeads: 4, seed: 1),
    MultiHeadAttention(dimensions: 12, numHeads: 4, numKeyHeads: 2, seed: 2),
    MultiHeadAttention(dimensions: 12, numHeads: 2, addBiasKV: true, addZeroAttention: true, seed: 3),
  ]

  /// A weight is exp(s − lse) with |s| < 8 here: 64 roundings cover score, exponential and lse but for its sum.
  private func weightBound(keys: Int) -> Double { γ(keys + 64) }

  @Test(arguments: layers) func weightsSumToOne(layer: MultiHeadAttention) {
    let (q, k) = (Tensor.random([2, 7, 12], seed: 1), Tensor.random([2, 9, 12], seed: 2))
    let extra = (layer.biasKey == nil ? 0 : 1) + (layer.addsZeroAttention ? 1 : 0)
    for averaged in [true, false] {
      let weights = layer.weights(q, keys: k, mask: .keyLengths([9, 4]), averaged: averaged)
      #expect(weights.shape == (averaged ? [2, 7, 9 + extra] : [2, layer.numHeads, 7, 9 + extra]))
      let width = 9 + extra
      for first in stride(from: 0, to: weights.count, by: width) {
        let sum = weights.scalars[first..<first + width].reduce(0) { $0 + Double($1) }
        #expect((sum - 1).magnitude <= weightBound(keys: width))
        let isSecond = first >= weights.count / 2
        #expect(weights.scalars[first + 4..<first + 9].allSatisfy { ($0 == 0) == isSecond })
      }
    }
  }

  @Test(arguments: layers) func averageIsTheMeanOfHeads(layer: MultiHeadAttention) {
    let (q, k) = (Tensor.random([2, 3, 12], seed: 1), Tensor.random([2, 5, 12], seed: 2))
    let heads = layer.weights(q, keys: k, averaged: false)
    let mean = layer.weights(q, keys: k)
    let size = mean.count / 2
    for index in 0..<mean.count {
      let ofHeads = (0..<layer.numHeads).map {
        Double(heads.scalars[(index / size * layer.numHeads + $0) * size + index % size])
      }
      let expected = ofHeads.reduce(0, +) / Double(layer.numHeads)
      #expect((Double(mean.scalars[index]) - expected).magnitude <= γ(layer.numHeads + 1))
    }
  }

  @Test(arguments: layers) func permutingKeysPermutesWeights(layer: MultiHeadAttention) {
    let (q, k, v) = (
      Tensor.random([1, 4, 12], seed: 1), Tensor.random([1, 6, 12], seed: 2), Tensor.random([1, 6, 12], seed: 3)
    )
    let order = [3, 0, 5, 1, 4, 2]
    func permuted(_ x: Tensor) -> Tensor {
      Tensor(order.flatMap { x.rows($0..<$0 + 1).scalars }, shape: x.shape)
    }
    let weights = layer.weights(q, keys: k, averaged: false)
    let other = layer.weights(q, keys: permuted(k), averaged: false)
    let width = weights.shape[3]
    for row in 0..<weights.count / width {
      for (place, key) in (order + Array(6..<width)).enumerated() {
        let difference = weights.scalars[row * width + key] - other.scalars[row * width + place]
        #expect(Double(difference.magnitude) <= weightBound(keys: width))
      }
    }
    #expect(weights.largestDifference(from: other) > 100 * weightBound(keys: width))
    let output = layer(q, keys: k, values: v)
    // Of a mean of 6 values of magnitude below 4 and an affine layer of 12 inputs.
    #expect(
      output.largestDifference(from: layer(q, keys: permuted(k), values: permuted(v))) <= 4 * γ(2 * (width + 64) + 12))
  }

  /// Two sequences, padded to one length, against each alone: the same bits, forward and backward.
  @Test(arguments: layers) func paddedBatchIsEachAlone(layer: MultiHeadAttention) throws {
    let lengths = [37, 20]
    let x = Tensor.random([2, 37, 12], seed: 1)
    let dy = Tensor.random([2, 37, 12], seed: 2)
    let (value, pullback) = layer.valueWithPullback(x, keys: x, values: x, mask: .keyLengths(lengths))
    #expect(value == layer(x, keys: x, values: x, mask: .keyLengths(lengths)))
    // The padded queries' own outputs count for nothing.
    let counted = Tensor(
      dy.scalars.enumerated().map { $0 / 12 % 37 < lengths[$0 / (37 * 12)] ? $1 : 0 }, shape: dy.shape)
    let gradients = pullback(counted)
    for (sequence, length) in lengths.enumerated() {
      func alone(_ x: Tensor) -> Tensor {
        x.reshaped(to: [1, 2 * 37, 12]).rows(sequence * 37..<sequence * 37 + length)
      }
      let (single, singlePullback) = layer.valueWithPullback(alone(x), keys: alone(x), values: alone(x))
      let singleGradients = singlePullback(alone(dy))
      #expect(alone(value) == single)
      #expect(alone(gradients.queries) == singleGradients.queries)
      #expect(alone(gradients.keys) == singleGradients.keys)
      #expect(alone(gradients.values) == singleGradients.values)
      #expect(single.scalars.contains { $0 != 0 } && singleGradients.keys.scalars.contains { $0 != 0 })
    }
  }

  static let masks: [(AttentionMask, @Sendable (Int, Int, Int) -> Bool)] = [
    (.causal(.topLeft), { _, i, j in j <= i }),
    (.causal(.bottomRight), { _, i, j in j <= i + 3 }),
    (.causal(queryOffsets: [0, 2]), { b, i, j in j <= i + [0, 2][b] }),
    (.window(left: 2, right: 1), { _, i, j in i - 2 <= j && j <= i + 1 }),
    (.window(left: 1, right: 2) & .causal(.topLeft), { _, i, j in i - 1 <= j && j <= i }),
    (.keyLengths([7, 3]), { b, _, j in j < [7, 3][b] }),
    (.boolean([true, false, true, true, false, true, true], shape: [7]), { _, _, j in j != 1 && j != 4 }),
    (
      .boolean([true, true, false, true], shape: [4, 1]) & .keyLengths([6, 2]) & .causal(queryOffset: 1),
      { b, i, j in i != 2 && j < [6, 2][b] && j <= i + 1 }
    ),
    (.boolean([true, false], shape: [2, 1, 1, 1]), { b, _, _ in b == 0 }),
    (.boolean([true, false], shape: [1, 2, 1, 1]) & .window(left: nil, right: 0), { _, i, j in j <= i }),
    (.causal(queryOffset: -2), { _, i, j in j <= i - 2 }),
  ]

  /// With keys of the layer's own behind them, masks still mean what they say, and those keys are always visible.
  @Test func masksOverExtraKeys() {
    let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, addBiasKV: true, addZeroAttention: true, seed: 1)
    let (q, k) = (Tensor.random([2, 4, 8], seed: 1), Tensor.random([2, 7, 8], seed: 2))
    for (index, (mask, isVisible)) in Self.masks.enumerated() {
      let weights = layer.weights(q, keys: k, mask: mask, averaged: false)
      #expect(weights.shape == [2, 2, 4, 9])
      for b in 0..<2 {
        for h in 0..<2 {
          for i in 0..<4 {
            for j in 0..<9 {
              let visible = j >= 7 || isVisible(b, i, j) && !(index == 9 && h == 1)
              #expect((weights[b, h, i, j] > 0) == visible, "mask \(index) at \(b), \(h), \(i), \(j)")
            }
          }
        }
      }
    }
  }

  /// Queries that continue a cache of keys turn by their own positions.
  @Test func rotaryFollowsTheAlignment() {
    let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, rotary: RotaryEmbedding(dimensions: 4), seed: 1)
    let x = Tensor.random([1, 6, 8], seed: 1)
    let all = layer(x, keys: x, values: x, mask: .causal)
    let last = layer(x.rows(4..<6), keys: x, values: x, mask: .causal(.bottomRight))
    let unaligned = layer(x.rows(4..<6), keys: x, values: x, mask: .causal(.topLeft))
    let bound = γ(200)  // of 8 + 4 + 6 + 8 terms and the roundings of two softmaxes
    #expect(all.rows(4..<6).largestDifference(from: last) <= bound)
    #expect(all.rows(4..<6).largestDifference(from: unaligned) > 100 * bound)
  }

  /// Rotary scores depend on the distance of positions alone, and a turn keeps lengths.
  @Test(arguments: RotaryEmbedding.Convention.allCases) func rotaryIsRelative(convention: RotaryEmbedding.Convention) {
    let rotary = RotaryEmbedding(dimensions: 6, convention: convention)
    let (q, k) = (Tensor.random([1, 1, 1, 8], seed: 1), Tensor.random([1, 1, 1, 8], seed: 2))
    func score(_ i: Int, _ j: Int) -> Double {
      zip(rotary(q, offset: i).scalars, rotary(k, offset: j).scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let bound = 8 * γ(8)  // eight products below 1, each of two turned numbers with four roundings
    #expect((score(5, 3) - score(105, 103)).magnitude <= bound)
    #expect((score(5, 3) - score(5, 4)).magnitude > 100 * bound)
    // The coordinates beyond are not turned.
    #expect(rotary(q, offset: 9).scalars.suffix(2) == q.scalars.suffix(2))
    #expect(rotary(q, offset: 0) == q)
  }

  @Test func seedsMakeLayers() {
    let layer = MultiHeadAttention(dimensions: 32, numHeads: 4, seed: 5)
    #expect(layer == MultiHeadAttention(dimensions: 32, numHeads: 4, seed: 5))
    #expect(layer != MultiHeadAttention(dimensions: 32, numHeads: 4, seed: 6))
    // Xavier-uniform as one [96, 32] matrix, and ±1/√32.
    for (weight, bound) in [
      (layer.queryProjection.weight, (6.0 / 128).squareRoot()), (layer.keyProjection.weight, (6.0 / 128).squareRoot()),
      (layer.outputProjection.weight, 1 / 32.0.squareRoot()),
    ] {
      let largest = Double(weight.scalars.map(\.magnitude).max()!)
      #expect(largest <= bound.nextUp && largest > 0.95 * bound)
    }
    #expect(layer.queryProjection.weight != layer.keyProjection.weight)
    #expect(layer.outputProjection.bias == Tensor(repeating: 0, shape: [32]))
  }
}
