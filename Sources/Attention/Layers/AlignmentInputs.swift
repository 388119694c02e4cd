/// The inputs of a layer, checked, and as the functions on heads take them.
struct AlignmentInputs: Sendable {
  /// [B, Tq, Hq].
  let queries: Tensor
  /// [B, Tk, Hk].
  let keys: Tensor
  /// [B, Tk, Dv].
  let values: Tensor
  let valuesAreKeys: Bool
  let isOneQuery: Bool
  private let layer: String

  /// Stops unless the shapes fit each other and the dimensions of the layer's parameters; nil = any.
  init(
    _ layer: String, queries: Tensor, keys: Tensor, values: Tensor?, queryDimensions: Int?, keyDimensions: Int?
  ) {
    let (q, k, v) = (queries.shape, keys.shape, values?.shape ?? keys.shape)
    require(
      (q.count == 2 || q.count == 3) && k.count == 3 && v.count == 3 && q[0] == k[0] && v[0] == k[0] && v[1] == k[1]
        && (queryDimensions ?? q[q.count - 1]) == q[q.count - 1] && (keyDimensions ?? k[2]) == k[2],
      """
      \(layer): expected queries [B, \(queryDimensions.map(String.init) ?? "H")] or \
      [B, Tq, \(queryDimensions.map(String.init) ?? "H")], keys [B, Tk, \(keyDimensions.map(String.init) ?? "H")] and \
      values [B, Tk, Dv], got queries \(q), keys \(k) and values \(v)
      """)
    isOneQuery = q.count == 2
    self.queries = isOneQuery ? queries.reshaped(to: [q[0], 1, q[1]]) : queries
    self.keys = keys
    self.values = values ?? keys
    valuesAreKeys = values == nil
    self.layer = layer
  }

  var batch: Int { keys.shape[0] }
  var queryLength: Int { queries.shape[1] }
  var keyLength: Int { keys.shape[1] }
  var valueDimensions: Int { values.shape[2] }

  /// [B, Tq, X] or [B, 1, Tq, X] → what the caller gets for its queries: [B, X] for one a sequence, else [B, Tq, X].
  func asQueries(_ x: Tensor) -> Tensor {
    let width = x.shape[x.rank - 1]
    return x.reshaped(to: isOneQuery ? [batch, width] : [batch, queryLength, width])
  }

  /// The gradient of the context as [B, Tq, Dv]; stops when it does not have the context's shape.
  func checked(_ outputGradient: Tensor) -> Tensor {
    let expected = isOneQuery ? [batch, valueDimensions] : [batch, queryLength, valueDimensions]
    require(
      outputGradient.shape == expected,
      "\(layer): the context has shape \(expected), its gradient \(outputGradient.shape)")
    return outputGradient.reshaped(to: [batch, queryLength, valueDimensions])
  }

  /// The gradients as the caller sees them, in the inputs' shapes: one sum where one tensor served as keys and values.
  func gradients<Parameters>(
    _ parameters: Parameters, queries: Tensor, keys: Tensor, values: Tensor
  ) -> AlignmentGradients<Parameters> {
    let keys = keys.reshaped(to: self.keys.shape)
    let values = values.reshaped(to: self.values.shape)
    return AlignmentGradients(
      parameters: parameters, queries: asQueries(queries), keys: valuesAreKeys ? keys.plus(values) : keys,
      values: valuesAreKeys ? nil : values)
  }
}

extension Tensor {
  /// [B, T, X] → [B, 1, T, X].
  var asOneHead: Tensor { reshaped(to: [shape[0], 1, shape[1], shape[2]]) }

  /// [B, 1, T, X] → [B, T, X].
  var withoutHead: Tensor { reshaped(to: [shape[0], shape[2], shape[3]]) }

  /// [m, a + b] → [m, a] and [m, b].
  package func columns(splitAt a: Int) -> (Tensor, Tensor) {
    let (rows, width) = (shape[0], shape[1])
    let left = copyingRows(rows, of: scalars, from: 0..<a, stride: width)
    let right = copyingRows(rows, of: scalars, from: a..<width, stride: width)
    return (Tensor(left, shape: [rows, a]), Tensor(right, shape: [rows, width - a]))
  }

  /// [m, a] and [m, b] → [m, a + b].
  package func joined(_ right: Tensor) -> Tensor {
    let (rows, a, b) = (shape[0], shape[1], right.shape[1])
    var joined = Kernel.written(rows * (a + b))
    Kernel.copyRows(rows, columns: a, of: scalars, .init(stride: a), to: &joined, .init(stride: a + b))
    Kernel.copyRows(rows, columns: b, of: right.scalars, .init(stride: b), to: &joined, .init(offset: a, stride: a + b))
    return Tensor(joined, shape: [rows, a + b])
  }
}

extension Tensor {
  /// [M, W] → [rows.count, W]: row rows[i] at i; zeros for a negative number.
  package func gatheringRows(_ rows: [Int]) -> Tensor {
    let width = shape[1]
    var gathered = Kernel.written(rows.count * width)
    Kernel.copyRows(
      rows.count, columns: width, of: scalars, .init(stride: width, index: rows.map { Int64($0) }), to: &gathered,
      .init(stride: width))
    return Tensor(gathered, shape: [rows.count, width])
  }
}

/// Some columns of each of `rows` rows that are `stride` apart.
private func copyingRows(_ rows: Int, of x: [Float], from columns: Range<Int>, stride: Int) -> [Float] {
  var copy = Kernel.written(rows * columns.count)
  Kernel.copyRows(
    rows, columns: columns.count, of: x, .init(offset: columns.lowerBound, stride: stride), to: &copy,
    .init(stride: columns.count))
  return copy
}
