import Attention
import Testing

@Suite struct TensorSumTests {
  @Test func elementByElement() {
    let sum = Tensor([1, 2, 3, 4], shape: [2, 2]) + Tensor([0.5, -2, .infinity, 1e30], shape: [2, 2])
    #expect(sum == Tensor([1.5, 0, .infinity, 1e30], shape: [2, 2]))
    #expect(Tensor([], shape: [0, 3]) + Tensor([], shape: [0, 3]) == Tensor([], shape: [0, 3]))
  }

  @Test func otherShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(repeating: 0, shape: [2, 3]) + Tensor(repeating: 0, shape: [3, 2])
    }
    let error = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(error.contains("sum: shapes [2, 3] and [3, 2] differ"), "\(error)")
  }
}
