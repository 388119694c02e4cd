import Attention
import Foundation
import Testing

@Suite struct LocalAttentionTests {
  @Test func givenPositions() throws {
    let recorded = try AlignmentCase("local_m")
    let layer = LocalAttention(GeneralAttention(weight: try recorded.input("weight")), window: 2)
    let (queries, keys, values) = (
      try recorded.input("queries"), try recorded.input("keys"), try #require(try recorded.values())
    )
    let (positions, mask) = (try recorded.integers("positions"), try recorded.mask())
    let context = layer(queries, keys: keys, values: values, positions: positions, mask: mask)
    try recorded.expect(context, is: "context")
    try recorded.expect(layer.weights(queries, keys: keys, positions: positions, mask: mask), is: "weights")
    let (value, pullback) = layer.valueWithPullback(
      queries, keys: keys, values: values, positions: positions, mask: mask)
    #expect(value == context)
    let gradients = pullback(try recorded.input("context_gradient"))
    try recorded.expect(gradients.parameters.weight, is: "weight_gradient")
    try recorded.expect(gradients.queries, is: "queries_gradient")
    try recorded.expect(gradients.keys, is: "keys_gradient")
    try recorded.expect(gradients.values, is: "values_gradient")
  }

  @Test func predictedPositions() throws {
    let recorded = try AlignmentCase("local_p")
    let layer = PredictiveLocalAttention(
      GeneralAttention(weight: try recorded.input("weight")), positionWeight: try recorded.input("position_weight"),
      positionVector: try recorded.input("position_vector"), window: 2)
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.score.weight, is: "weight_gradient")
    try recorded.expect(gradients.positionWeight, is: "position_weight_gradient")
    try recorded.expect(gradients.positionVector, is: "position_vector_gradient")
  }

  @Test func predictedPositionsOfOneQuery() throws {
    let recorded = try AlignmentCase("local_p_concat")
    let score = ConcatAttention(
      weight: try recorded.input("weight"), queryDimensions: 6, vector: try recorded.input("vector"))
    let layer = PredictiveLocalAttention(
      score, positionWeight: try recorded.input("position_weight"),
      positionVector: try recorded.input("position_vector"), window: 2)
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.score.weight, is: "weight_gradient")
    try recorded.expect(gradients.score.vector, is: "vector_gradient")
    try recorded.expect(gradients.positionWeight, is: "position_weight_gradient")
    try recorded.expect(gradients.positionVector, is: "position_vector_gradient")
  }

  /// Keys change places inside the window, and their weights with them.
  @Test func permutationInsideTheWindow() throws {
    var numbers = AlignmentNumbers(seed: 2)
    let (queries, keys) = (numbers.tensor([2, 6]), numbers.tensor([2, 9, 6]))
    let layer = LocalAttention(DotProductAttention(), window: 2)
    let order = [0, 1, 4, 2, 6, 3, 5, 7, 8]
    let weights = layer.weights(queries, keys: keys, positions: [4, 4])
    let permuted = layer.weights(queries, keys: keys.permutedRows(order), positions: [4, 4])
    for b in 0..<2 {
      for j in 0..<9 {
        #expect((weights[b, j] > 0) == (2...6).contains(j))
        #expect((permuted[b, j] - weights[b, order[j]]).magnitude <= 4 * 5 * 0x1p-24)
      }
    }
    #expect(try distance(weights, permuted) > 0.001)
  }

  /// The two ways to see a window, by its bounds and pair by pair, agree.
  @Test func positionsThatAdvanceByOne() throws {
    var numbers = AlignmentNumbers(seed: 3)
    let (queries, keys) = (numbers.tensor([2, 5, 4]), numbers.tensor([2, 12, 4]))
    let layer = LocalAttention(ScaledDotProductAttention(), window: 1)
    let positions = [3, 4, 5, 6, 7, 0, 1, 2, 3, 4]
    let byBounds = layer.weights(queries, keys: keys, positions: positions)
    let byPairs = layer.weights(
      queries, keys: keys, positions: positions, mask: .aligned(.topLeft) & .window(left: 11, right: 11))
    #expect(try distance(byBounds, byPairs) <= 4 * 3 * 0x1p-24)
    for b in 0..<2 {
      for i in 0..<5 {
        for j in 0..<12 { #expect((byBounds[b, i, j] > 0) == ((j - positions[b * 5 + i]).magnitude <= 1)) }
      }
    }
    #expect(
      layer.weights(queries, keys: keys) == layer.weights(queries, keys: keys, positions: (0..<10).map { $0 % 5 }))
  }

  /// Weights are softmax in the window times the Gaussian around p, and sum to at most 1.
  @Test func gaussianAroundThePrediction() throws {
    var numbers = AlignmentNumbers(seed: 4)
    let (queries, keys) = (numbers.tensor([2, 3, 6]), numbers.tensor([2, 20, 6]))
    let layer = PredictiveLocalAttention(DotProductAttention(), dimensions: 6, window: 3, seed: 5)
    let weights = layer.weights(queries, keys: keys, mask: .keyLengths([20, 10]))
    let centres = layer.positions(queries, keys: keys, mask: .keyLengths([20, 10]))
    #expect(centres.shape == [2, 3] && Set(centres.scalars).count == 6)
    for i in 0..<3 {
      #expect((0...20).contains(centres[0, i]) && (0...10).contains(centres[1, i]))
      for b in 0..<2 {
        for j in 0..<20 { #expect((weights[b, i, j] > 0) == ((Float(j) - centres[b, i]).magnitude <= 3)) }
      }
    }
    for sum in weights.rowSums() { #expect(sum > 0 && sum < 1) }
  }

  /// Under the Gaussian, which belongs to positions, keys in another order have the weights in that order; both softmaxes
  /// take 19 sums, and the Gaussian, recomputed here from positions rounded to `Float`, is off by the distance over σ²
  /// times half a unit in the last place of 19.
  @Test func permutationUnderTheGaussian() throws {
    var numbers = AlignmentNumbers(seed: 6)
    let (queries, keys) = (numbers.tensor([2, 3, 6]), numbers.tensor([2, 19, 6]))
    let window = 30
    let layer = PredictiveLocalAttention(
      GeneralAttention(dimensions: 6, seed: 1), dimensions: 6, window: window, seed: 5)
    let order = (0..<19).map { ($0 * 7 + 3) % 19 }
    let centres = layer.positions(queries, keys: keys)
    func shares(_ keys: Tensor) -> Tensor {
      var weights = layer.weights(queries, keys: keys)
      for b in 0..<2 {
        for i in 0..<3 {
          for j in 0..<19 {
            let distance = Double(Float(j) - centres[b, i])
            weights[b, i, j] /= Float(exp(-2 * distance * distance / Double(window * window)))
          }
        }
      }
      return weights
    }
    let expected = shares(keys).transposedRows.permutedRows(order).transposedRows
    let bound: Float = 4 * 19 * 0x1p-24 + 19 * 4 / 900 * 0x1p-19
    #expect(try distance(shares(keys.permutedRows(order)), expected) <= bound)
    #expect(try distance(expected, shares(keys)) > 100 * bound)
    for sum in shares(keys).rowSums() { #expect((sum - 1).magnitude <= Double(19 * bound)) }
  }

  @Test func misuse() async throws {
    let positions = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 3, 4])
      _ = LocalAttention(DotProductAttention(), window: 1)(x, keys: x, positions: [0, 1])
    }
    try expect(positions, says: "LocalAttention: expected 6 positions for queries [2, 3, 4], got 2")
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = PredictiveLocalAttention(DotProductAttention(), dimensions: 6, window: 1, seed: 0)
      _ = layer(Tensor(repeating: 0, shape: [2, 4]), keys: Tensor(repeating: 0, shape: [2, 3, 4]))
    }
    try expect(
      shapes, says: "PredictiveLocalAttention: expected queries [B, 6] or [B, Tq, 6]",
      "got queries [2, 4], keys [2, 3, 4]")
    let window = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = PredictiveLocalAttention(DotProductAttention(), dimensions: 6, window: 0, seed: 0)
    }
    try expect(window, says: "PredictiveLocalAttention: expected a window of 1 or more, got 0")
  }
}
