import Attention
import Testing

/// A layer that must have the properties of ``AlignmentPropertyTests``. A new layer is one more row.
struct AlignmentRow: Sendable, CustomTestStringConvertible {
  /// What the weights of a query that sees something add up to.
  enum Total: Sendable { case one, atMostOne }

  let testDescription: String
  let layer: any AlignmentLayer
  var queryDimensions = 6
  var keyDimensions = 6
  /// nil: keys serve as values.
  var valueDimensions: Int? = 4
  /// Whether the layer looks at keys alone, not at their positions.
  var isPermutable = true
  var total = Total.one
  /// A NaN query makes its context NaN. (The arg-max chooses a key all the same.)
  var propagatesNotANumber = true
  /// Whether a query depends on those before it.
  var isSequential = false
  /// The largest magnitude that values may grow to on the way to a context.
  var valueSize: Float = 1

  init(_ name: String, _ layer: any AlignmentLayer, _ change: (inout AlignmentRow) -> Void = { _ in }) {
    testDescription = name
    self.layer = layer
    change(&self)
  }

  /// The weights, of several heads their mean.
  func weights(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> Tensor {
    (layer as? MultiHead)?.layer.weights(queries, keys: keys, mask: mask)
      ?? layer.weights(queries, keys: keys, mask: mask)
  }

  /// The context and the weights.
  func attend(
    _ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask = .none
  ) -> (context: Tensor, weights: Tensor) {
    (layer(queries, keys: keys, values: values, mask: mask), weights(queries, keys: keys, mask: mask))
  }

  static let all: [AlignmentRow] = [
    AlignmentRow("additive", additive) { $0.keyDimensions = 11 },
    AlignmentRow("additive, one weight", AdditiveAttention(dimensions: 6, sharesWeight: true, seed: 3)),
    AlignmentRow("dot", DotProductAttention()),
    AlignmentRow("scaled dot", ScaledDotProductAttention()),
    AlignmentRow("scaled dot, values are keys", ScaledDotProductAttention()) { $0.valueDimensions = nil },
    AlignmentRow("general", general) { $0.keyDimensions = 11 },
    AlignmentRow("concat", ConcatAttention(dimensions: 6, keyDimensions: 11, hiddenDimensions: 9, seed: 5)) {
      $0.keyDimensions = 11
    },
    AlignmentRow("cosine", CosineAttention(temperature: 0.5)),
    AlignmentRow("hard", HardAttention(additive)) {
      $0.keyDimensions = 11
      $0.propagatesNotANumber = false
    },
    AlignmentRow("local", LocalAttention(general, window: 2)) {
      $0.keyDimensions = 11
      $0.isPermutable = false
    },
    AlignmentRow("local, all keys in the window", LocalAttention(general, window: 19)) { $0.keyDimensions = 11 },
    AlignmentRow(
      "predictive local",
      PredictiveLocalAttention(AdditiveAttention(dimensions: 6, seed: 1), dimensions: 6, window: 4, seed: 2)
    ) {
      $0.isPermutable = false
      $0.total = .atMostOne
    },
    AlignmentRow("monotonic", MonotonicAttention(additive, offset: -0.5)) {
      $0.keyDimensions = 11
      $0.isPermutable = false
      $0.total = .atMostOne
      $0.isSequential = true
    },
    AlignmentRow("monotonic, general", MonotonicAttention(general)) {
      $0.keyDimensions = 11
      $0.isPermutable = false
      $0.total = .atMostOne
      $0.isSequential = true
    },
    AlignmentRow("multi-head", MultiHead(layer: MultiHeadAttention(dimensions: 6, numHeads: 3, seed: 6))) {
      $0.valueDimensions = 6
      $0.valueSize = 4
    },
    AlignmentRow(
      "multi-head, grouped",
      MultiHead(
        layer: MultiHeadAttention(
          dimensions: 6, numHeads: 2, keyDimensions: 11, valueDimensions: 4, numKeyHeads: 1, seed: 7))
    ) {
      $0.keyDimensions = 11
      $0.valueSize = 4
    },
    AlignmentRow("cross", Cross(layer: CrossAttention(dimensions: 6, contextDimensions: 11, seed: 8))) {
      $0.keyDimensions = 11
      $0.valueDimensions = nil
      $0.valueSize = 4
    },
  ]

  private static let additive = AdditiveAttention(dimensions: 6, keyDimensions: 11, hiddenDimensions: 9, seed: 3)
  private static let general = GeneralAttention(dimensions: 6, keyDimensions: 11, seed: 4)
}

/// Multi-head attention with the calls of an alignment layer.
private struct MultiHead: AlignmentLayer {
  let layer: MultiHeadAttention

  func callAsFunction(_ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask) -> Tensor {
    layer(queries, keys: keys, values: values ?? keys, mask: mask)
  }

  func weightsOnDemand(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> AttentionWeights {
    layer.weightsOnDemand(queries, keys: keys, mask: mask)
  }

  func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<MultiHeadAttention.Gradients>) {
    let (value, pullback) = layer.valueWithPullback(queries, keys: keys, values: values ?? keys, mask: mask)
    return (
      value,
      { outputGradient in
        let gradients = pullback(outputGradient)
        return AlignmentGradients(
          parameters: gradients.parameters, queries: gradients.queries,
          keys: values == nil ? sum(gradients.keys, gradients.values) : gradients.keys,
          values: values == nil ? nil : gradients.values)
      }
    )
  }
}

/// Cross-attention likewise; the keys are its context.
private struct Cross: AlignmentLayer {
  let layer: CrossAttention

  func callAsFunction(_ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask) -> Tensor {
    layer(queries, context: keys, mask: mask)
  }

  func weightsOnDemand(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> AttentionWeights {
    layer.weightsOnDemand(queries, context: keys, mask: mask)
  }

  func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<CrossAttention.Gradients>) {
    let (value, pullback) = layer.valueWithPullback(queries, context: keys, mask: mask)
    return (
      value,
      { outputGradient in
        let gradients = pullback(outputGradient)
        return AlignmentGradients(
          parameters: gradients.parameters, queries: gradients.input, keys: gradients.context, values: nil)
      }
    )
  }
}

private func sum(_ a: Tensor, _ b: Tensor) -> Tensor {
  Tensor(zip(a.scalars, b.scalars).map { $0 + $1 }, shape: a.shape)
}
