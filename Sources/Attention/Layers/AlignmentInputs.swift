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
}
