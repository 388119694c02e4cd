import Attention
import Testing

@Suite struct LuongAttentionTests {
  @Test(arguments: ["dot", "dot_one_query"]) func dot(_ name: String) throws {
    #expect(try AlignmentCase(name).check(DotProductAttention()) == NoParameters())
  }

  @Test func scaledDot() throws {
    let recorded = try AlignmentCase("scaled_dot")
    #expect(try recorded.check(ScaledDotProductAttention()) == NoParameters())
    #expect(try recorded.check(ScaledDotProductAttention(scale: 1 / 5.0.squareRoot())) == NoParameters())
  }

  @Test func general() throws {
    let recorded = try AlignmentCase("general")
    let gradients = try recorded.check(GeneralAttention(weight: try recorded.input("weight")))
    try recorded.expect(gradients.weight, is: "weight_gradient")
  }

  @Test func concat() throws {
    let recorded = try AlignmentCase("concat")
    let layer = ConcatAttention(
      weight: try recorded.input("weight"), queryDimensions: 6, vector: try recorded.input("vector"))
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.weight, is: "weight_gradient")
    try recorded.expect(gradients.vector, is: "vector_gradient")
  }

  /// softmax(Q Kᵀ/√D) V of a sentence over itself, each word reading those up to it.
  @Test func causalSelfAttention() throws {
    var numbers = AlignmentNumbers(seed: 6)
    let x = numbers.tensor([2, 7, 4])
    let (output, weights) = ScaledDotProductAttention().attend(x, keys: x, mask: .causal)
    #expect(output.shape == [2, 7, 4] && weights.shape == [2, 7, 7])
    for i in 0..<7 { for j in 0..<7 { #expect((weights[1, i, j] > 0) == (j <= i)) } }
    #expect((0..<4).allSatisfy { output[0, 0, $0] == x[0, 0, $0] })
  }

  @Test func productsOfWrongSizes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = DotProductAttention()(Tensor(repeating: 0, shape: [2, 3, 8]), keys: Tensor(repeating: 0, shape: [2, 5, 10]))
    }
    try expect(exit, says: "DotProductAttention: expected", "keys [B, Tk, 8]", "queries [2, 3, 8], keys [2, 5, 10]")
    let scaled = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 3, 4, 8])
      _ = ScaledDotProductAttention().weights(x, keys: x)
    }
    try expect(scaled, says: "ScaledDotProductAttention: expected", "queries [2, 3, 4, 8]")
  }

  @Test func weightsOfWrongSizes() async throws {
    let general = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = GeneralAttention(dimensions: 6, keyDimensions: 5, seed: 0)
      _ = layer(Tensor(repeating: 0, shape: [2, 5]), keys: Tensor(repeating: 0, shape: [2, 3, 6]))
    }
    try expect(
      general, says: "GeneralAttention: expected queries [B, 6] or [B, Tq, 6], keys [B, Tk, 5]",
      "got queries [2, 5], keys [2, 3, 6]")
    let concat = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = ConcatAttention(dimensions: 6, keyDimensions: 5, seed: 0)
      _ = layer(Tensor(repeating: 0, shape: [2, 6]), keys: Tensor(repeating: 0, shape: [2, 3, 6]))
    }
    try expect(
      concat, says: "ConcatAttention: expected queries [B, 6] or [B, Tq, 6], keys [B, Tk, 5]",
      "got queries [2, 6], keys [2, 3, 6]")
  }
}
