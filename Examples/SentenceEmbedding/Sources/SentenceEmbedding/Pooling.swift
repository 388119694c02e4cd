import Attention

extension Tensor {
  /// The mean of the first `lengths[b]` rows of each sequence, [B, S, E] → [B, E].
  func meanOverPositions(lengths: [Int]) -> Tensor {
    let (length, width) = (shape[1], shape[2])
    var means: [Float] = []
    means.reserveCapacity(lengths.count * width)
    for (sequence, count) in lengths.enumerated() {
      var sums = [Double](repeating: 0, count: width)
      for row in 0..<count {
        let first = (sequence * length + row) * width
        for column in 0..<width { sums[column] += Double(scalars[first + column]) }
      }
      means += sums.map { Float($0 / Double(count)) }
    }
    return Tensor(means, shape: [lengths.count, width])
  }

  /// Every row of [B, E] divided by its Euclidean length; a row of zeros stays.
  func rowsOfUnitLength() -> Tensor {
    var unit = self
    let width = shape[1]
    unit.withMutableScalars { span in
      for first in stride(from: 0, to: span.count, by: width) {
        var squares = 0.0
        for index in first..<first + width { squares += Double(span[index]) * Double(span[index]) }
        let length = max(squares.squareRoot(), 1e-12)
        for index in first..<first + width { span[index] = Float(Double(span[index]) / length) }
      }
    }
    return unit
  }

  /// The scalar products of all rows of [B, E] with each other, [B, B]: the cosines, of rows of length 1.
  public func similarities() -> Tensor {
    let (count, width) = (shape[0], shape[1])
    var products: [Float] = []
    products.reserveCapacity(count * count)
    for i in 0..<count {
      for j in 0..<count {
        var sum = 0.0
        for k in 0..<width { sum += Double(scalars[i * width + k]) * Double(scalars[j * width + k]) }
        products.append(Float(sum))
      }
    }
    return Tensor(products, shape: [count, count])
  }
}
