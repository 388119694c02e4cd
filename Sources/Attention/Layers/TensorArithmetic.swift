extension Tensor {
  /// The sum, element by element, of tensors of one shape.
  public static func + (left: Tensor, right: Tensor) -> Tensor { left.plus(right) }

  /// The sum, element by element, of tensors of one shape.
  func plus(_ other: Tensor) -> Tensor {
    require(shape == other.shape, "sum: shapes \(shape) and \(other.shape) differ")
    var sum = self
    sum.withMutableScalars { span in
      for index in span.indices { span[index] += other.scalars[index] }
    }
    return sum
  }

  /// The product, element by element, of tensors of one shape.
  func scaled(by other: Tensor) -> Tensor {
    require(shape == other.shape, "product: shapes \(shape) and \(other.shape) differ")
    var product = self
    product.withMutableScalars { span in
      for index in span.indices { span[index] *= other.scalars[index] }
    }
    return product
  }

  /// Adds a vector to every row, [..., n] + [n].
  func addingToRows(_ row: Tensor) -> Tensor {
    require(
      rank >= 1 && row.shape == [shape[rank - 1]], "sum: row \(row.shape) does not fit the last axis of \(shape)")
    let width = row.count
    var sum = self
    sum.withMutableScalars { span in
      for first in stride(from: 0, to: span.count, by: max(width, 1)) {
        for column in 0..<width { span[first + column] += row.scalars[column] }
      }
    }
    return sum
  }

  /// `transform` of every element.
  func mapped(_ transform: (Float) -> Float) -> Tensor { Tensor(scalars.map(transform), shape: shape) }
}
