import Attention
import Testing

@Suite struct TensorTests {
  @Test func rowMajor() {
    var x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(x.count == 6 && x.rank == 2 && x.strides == [3, 1])
    #expect(x[0, 0] == 1 && x[0, 2] == 3 && x[1, 0] == 4 && x[1, 2] == 6)
    x[1, 0] = -4
    #expect(x.scalars == [1, 2, 3, -4, 5, 6])
    #expect(Tensor(repeating: 0, shape: [2, 3, 4, 5]).strides == [60, 20, 5, 1])
  }

  @Test func valueSemantics() {
    let x = Tensor([1, 2], shape: [2])
    var y = x
    y[0] = 9
    y.withMutableScalars { $0[1] = 8 }
    #expect(x.scalars == [1, 2] && y.scalars == [9, 8] && x != y)
  }

  @Test func reshaping() {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(x.reshaped(to: [3, 2])[2, 1] == 6)
    #expect(x.reshaped(to: [3, 2]) != x && x.reshaped(to: [3, 2]).reshaped(to: [2, 3]) == x)
  }

  @Test func noAxesAndNoElements() {
    let number = Tensor([7], shape: [])
    #expect(number.count == 1 && number.rank == 0 && number.strides == [] && number.reshaped(to: [1, 1])[0, 0] == 7)
    let nothing = Tensor([], shape: [3, 0])
    #expect(nothing.count == 0 && nothing == Tensor(repeating: 1, shape: [3, 0]))
  }

  @Test func describesItself() {
    #expect("\(Tensor([1, 2], shape: [2, 1]))" == "Tensor(shape: [2, 1], [1.0, 2.0])")
    #expect(
      "\(Tensor(repeating: 0, shape: [9]))" == "Tensor(shape: [9], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …])")
  }
}
