extension Tensor {
  /// The sum, element by element, of tensors of one shape.
  public static func + (left: Tensor, right: Tensor) -> Tensor { left.plus(right) }

  /// The sum, element by element, of tensors of one shape.
  func plus(_ other: Tensor) -> Tensor {
    require(shape == other.shape, "sum: shapes \(shape) and \(other.shape) differ")
    let size = count
    let sum = [Float](unsafeUninitializedCapacity: size) { sum, initialized in
      scalars.withUnsafeBufferPointer { left in
        other.scalars.withUnsafeBufferPointer { right in
          for index in 0..<size { sum.initializeElement(at: index, to: left[index] + right[index]) }
        }
      }
      initialized = size
    }
    return Tensor(sum, shape: shape)
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
    var sum = self
    sum.withScalars { Kernel.addBias(row.scalars, to: &$0, columns: row.count, tanh: false) }
    return sum
  }

  /// tanh(x + b) with a vector added to every row, [..., n] and [n]; nil = 0.
  package func tanhOfRows(adding row: Tensor? = nil) -> Tensor {
    var y = self
    y.withScalars { Kernel.addBias(row?.scalars, to: &$0, columns: shape[rank - 1], tanh: true) }
    return y
  }

  /// log softmax over the last axis: x − log Σ_j e^x_j.
  package func logSoftmax() -> Tensor {
    var y = self
    y.withScalars { Kernel.logSoftmax(&$0, columns: shape[rank - 1]) }
    return y
  }

  /// This gradient of y = tanh(x) as that of x: each element times 1 − y².
  package func throughTanh(_ y: Tensor) -> Tensor {
    require(shape == y.shape, "product: shapes \(shape) and \(y.shape) differ")
    var gradient = self
    gradient.withScalars { Kernel.multiplyByTanhGradient(&$0, y.scalars) }
    return gradient
  }

  /// `transform` of every element.
  func mapped(_ transform: (Float) -> Float) -> Tensor { Tensor(scalars.map(transform), shape: shape) }
}
