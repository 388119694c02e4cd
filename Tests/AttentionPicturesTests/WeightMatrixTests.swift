import Attention
import Testing

@testable import AttentionPictures

@Suite struct WeightMatrixTests {
  @Test func parts() {
    let whole = WeightMatrix(
      (0..<12).map(Float.init), queries: 3, keys: 4, queryLabels: ["a", "b", "c"], title: "t")
    #expect(whole.keyLabels == ["0", "1", "2", "3"])
    #expect(whole[2, 1] == 9)
    let part = whole.part(queries: 1..<3, keys: 2..<4)
    #expect(part.scalars == [6, 7, 10, 11])
    #expect(part.queryLabels == ["b", "c"] && part.keyLabels == ["2", "3"] && part.title == "t")
    #expect(WeightMatrix(Tensor([1, 2], shape: [2])).queries == 1)
    #expect(WeightMatrix([], queries: 0, keys: 4).isEmpty)
  }

  @Test func headsAndTheirMean() {
    let tensor = Tensor([1, 0, 0.5, 0.5, 0, 1, 0.25, 0.75], shape: [2, 2, 2])
    let stack = WeightStack(tensor, labels: ["x", "y"], title: "t")
    #expect(stack.matrix(layer: 0, head: 1).scalars == [0, 1, 0.25, 0.75])
    #expect(stack.mean(layer: 0).scalars == [0.5, 0.5, 0.375, 0.625])
    #expect(stack.mean(layer: 0).keyLabels == ["x", "y"] && stack.mean(layer: 0).title == "t")
    #expect(stack.layers[0].headNames == ["0", "1"])
    let nan = WeightStack(Tensor([1, .nan], shape: [2, 1, 1]))
    #expect(nan.mean(layer: 0)[0, 0].isNaN)
  }

  @Test func ranges() {
    func ends(_ scalars: [Float]) -> [Double] {
      let range = WeightRange(of: scalars)
      return [range.low, range.high]
    }
    #expect(ends([0.25, 0.5]) == [0, 0.5])
    #expect(ends([-1, 3, .nan, .infinity]) == [-1, 3])
    #expect(ends([0, 0]) == [0, 1] && ends([.nan]) == [0, 1] && ends([]) == [0, 1])
    #expect(WeightRange(of: [4]).fraction(1) == 0.25)
    #expect(WeightRange(of: [4]).fraction(.nan) == nil)
  }

  @Test func wrongNumberOfWeights() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightMatrix([1, 2, 3], queries: 2, keys: 2)
    }
    try expect(exit, says: "expected 2 × 2 weights, got 3")
  }

  @Test func wrongNumberOfLabels() async throws {
    let queries = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightMatrix(Tensor([1, 2], shape: [1, 2]), queryLabels: ["a", "b"], keyLabels: ["a", "b"])
    }
    try expect(queries, says: "expected 1 query labels for weights [1, 2], got 2")
    let keys = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightStack(layers: [.init("0", weights: Tensor([1, 2], shape: [1, 1, 2]))], keyLabels: ["a"])
    }
    try expect(keys, says: "expected 2 key labels for weights [1, 2], got 1")
  }

  @Test func wrongShapes() async throws {
    let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightMatrix(Tensor([1, 2], shape: [1, 1, 2]))
    }
    try expect(rank, says: "expected weights [Sq, Sk] or [Sk], got [1, 1, 2]")
    let layers = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightStack(layers: [
        .init("0", weights: Tensor([1, 2], shape: [1, 2])), .init("1", weights: Tensor([1, 2], shape: [2, 1])),
      ])
    }
    try expect(layers, says: "expected weights [H, 1, 2] with H > 0 of layer 1, got [1, 2, 1]")
    let query = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightMatrix([1, 2], queries: 1, keys: 2).terminalBars(query: 1)
    }
    try expect(query, says: "no query 1")
  }

  private func expect(
    _ exit: ExitTest.Result?, says message: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let text = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(text.contains(message), "\(text)", sourceLocation: sourceLocation)
  }
}
