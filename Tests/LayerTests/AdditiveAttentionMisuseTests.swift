import Attention
import Testing

@Suite struct AdditiveAttentionMisuseTests {
  @Test func wrongQuerySize() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = AdditiveAttention(dimensions: 10, seed: 0)
      _ = layer(Tensor(repeating: 0, shape: [2, 8]), keys: Tensor(repeating: 0, shape: [2, 5, 10]))
    }
    try expect(
      exit, says: "AdditiveAttention: expected queries [B, 10] or [B, Tq, 10], keys [B, Tk, 10]",
      "got queries [2, 8], keys [2, 5, 10] and values [2, 5, 10]")
  }

  @Test func wrongNumberOfValues() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = AdditiveAttention(dimensions: 10, seed: 0)
      _ = layer.valueWithPullback(
        Tensor(repeating: 0, shape: [2, 3, 10]), keys: Tensor(repeating: 0, shape: [2, 5, 10]),
        values: Tensor(repeating: 0, shape: [2, 4, 10]))
    }
    try expect(exit, says: "values [B, Tk, Dv], got queries [2, 3, 10], keys [2, 5, 10] and values [2, 4, 10]")
  }

  @Test func wrongOutputGradient() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = AdditiveAttention(dimensions: 10, seed: 0)
      let pullback = layer.valueWithPullback(
        Tensor(repeating: 0, shape: [2, 10]), keys: Tensor(repeating: 0, shape: [2, 5, 10])
      ).pullback
      _ = pullback(Tensor(repeating: 0, shape: [2, 1, 10]))
    }
    try expect(exit, says: "AdditiveAttention: the context has shape [2, 10], its gradient [2, 1, 10]")
  }

  @Test func wrongParameters() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AdditiveAttention(
        queryWeight: Tensor(repeating: 0, shape: [4, 6]), keyWeight: Tensor(repeating: 0, shape: [5, 6]),
        vector: Tensor(repeating: 0, shape: [4]))
    }
    try expect(
      exit, says: "AdditiveAttention: expected weights [A, Hq] and [A, Hk]", "got [4, 6], [5, 6], none and [4]")
  }
}
