import Attention
import Testing

/// The properties of ``AlignmentPropertyTests`` where a sequence attends to itself: positions in another order move
/// queries and keys alike.
@Suite struct SelfAttentionPropertyTests {
  private let layer = SelfAttention(dimensions: 6, keyDimensions: 4, valueDimensions: 5, bias: true, seed: 1)
  /// Weights and outputs of magnitude below 4, from sums of 9 terms in another order, numerator and denominator, and 64
  /// roundings of scores, exponentials and projections.
  private let rounding = 4 * γ(2 * (9 + 64))

  private func input() -> Tensor {
    var numbers = AlignmentNumbers(seed: 3)
    return numbers.tensor([2, 9, 6])
  }

  @Test func positionsInAnotherOrder() throws {
    let x = input()
    let order = [4, 0, 7, 2, 8, 1, 6, 3, 5]
    let (output, weights) = layer.outputAndWeights(x)
    let other = layer.outputAndWeights(x.permutedRows(order))
    let expected = weights.permutedRows(order).transposedRows.permutedRows(order).transposedRows
    #expect(other.weights.largestDifference(from: expected) <= rounding)
    #expect(other.weights.largestDifference(from: weights) > 100 * rounding)
    #expect(other.output.largestDifference(from: output.permutedRows(order)) <= rounding)
  }

  @Test func weightsAreShares() {
    let hidden = AttentionMask.boolean((0..<9).map { $0 != 4 }, shape: [9, 1])
    let (output, weights) = layer.outputAndWeights(input(), mask: hidden & .keyLengths([9, 3]))
    for (n, sum) in weights.rowSums().enumerated() {
      #expect(n % 9 == 4 ? sum == 0 : (sum - 1).magnitude <= rounding)
      #expect((n % 9 == 4) == (0..<5).allSatisfy { output[n / 9, n % 9, $0] == 0 })
    }
  }

  @Test func paddedBatchIsEachAlone() {
    let x = input()
    let lengths = [9, 4]
    let mask = AttentionMask.keyLengths(lengths)
    let (value, pullback) = layer.valueWithPullback(x, mask: mask)
    var numbers = AlignmentNumbers(seed: 4)
    var outputGradient = numbers.tensor(value.shape)
    // The padded queries' own outputs count for nothing.
    for i in 4..<9 { for d in 0..<5 { outputGradient[1, i, d] = 0 } }
    let gradients = pullback(outputGradient)
    for (b, length) in lengths.enumerated() {
      func alone(_ x: Tensor) -> Tensor { x.sequence(b).prefix(length) }
      let (own, ownPullback) = layer.valueWithPullback(alone(x))
      #expect(alone(value) == own)
      #expect(alone(gradients.input) == ownPullback(alone(outputGradient)).input)
      let weights = alone(layer.weights(x, mask: mask))
      #expect(weights.transposedRows.prefix(length).transposedRows == layer.weights(alone(x)))
    }
  }
}
