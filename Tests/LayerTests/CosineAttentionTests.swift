import Attention
import Testing

@Suite struct CosineAttentionTests {
  @Test func recorded() throws {
    let recorded = try AlignmentCase("cosine")
    let layer = CosineAttention(temperature: try recorded.input("temperature").scalars[0])
    #expect(layer.temperature == 0.25)
    let gradients = try recorded.check(layer)
    try recorded.expect(Tensor([gradients.temperature], shape: []), is: "temperature_gradient")
  }

  /// Only directions count, by powers of two to the bit.
  @Test func lengthsDoNotCount() throws {
    var numbers = AlignmentNumbers(seed: 8)
    let (queries, keys) = (numbers.tensor([2, 3, 4]), numbers.tensor([2, 5, 4]))
    let longer = Tensor(queries.scalars.map { $0 * 0x1p100 }, shape: queries.shape)
    let shorter = Tensor(keys.scalars.map { $0 * 0x1p-90 }, shape: keys.shape)
    let layer = CosineAttention(temperature: 0.1)
    #expect(layer.weights(longer, keys: shorter) == layer.weights(queries, keys: keys))
    #expect(DotProductAttention().weights(queries, keys: shorter) != DotProductAttention().weights(queries, keys: keys))
  }

  @Test func aKeyOfZerosHasCosineZeroAndNoGradient() throws {
    let queries = Tensor([3, 4], shape: [1, 2])
    let keys = Tensor([0, 0, 4, -3], shape: [1, 2, 2])
    let layer = CosineAttention(temperature: 0.1)
    // The other key is at a right angle but for the rounding of four unit numbers, ten times larger in the score.
    for weight in layer.weights(queries, keys: keys).scalars { #expect((weight - 0.5).magnitude < 10 * 4 * 0x1p-24) }
    let values = Tensor([1, 0], shape: [1, 2, 1])
    let gradients = layer.valueWithPullback(queries, keys: keys, values: values).pullback(Tensor([1], shape: [1, 1]))
    #expect(gradients.keys[0, 0, 0] == 0 && gradients.keys[0, 0, 1] == 0)
    #expect(gradients.keys[0, 1, 0] != 0 && gradients.keys.scalars.allSatisfy(\.isFinite))
  }

  @Test func misuse() async throws {
    let cold = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = CosineAttention(temperature: 0)
    }
    try expect(cold, says: "CosineAttention: expected a temperature that is finite and not 0, got 0.0")
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = CosineAttention()(Tensor(repeating: 0, shape: [2, 8]), keys: Tensor(repeating: 0, shape: [2, 5, 10]))
    }
    try expect(shapes, says: "CosineAttention: expected", "keys [B, Tk, 8]", "queries [2, 8], keys [2, 5, 10]")
  }
}
