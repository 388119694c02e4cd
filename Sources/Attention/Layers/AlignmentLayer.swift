/// A layer that aligns queries with keys and mixes the values by the weights it finds:
///
///     weights = softmax(score(queries, keys)),  context = weights · values
///
/// - One query a sequence: queries [B, Hq] → context [B, Dv], weights [B, Tk].
/// - Many: queries [B, Tq, Hq] → context [B, Tq, Dv], weights [B, Tq, Tk].
///
/// Keys are [B, Tk, Hk], values [B, Tk, Dv]; the keys serve as values where none are given. A dense mask has a shape
/// that broadcasts to [B, 1, Tq, Tk].
///
/// ``HardAttention`` and ``LocalAttention`` take any such layer as their score.
public protocol AlignmentLayer: Sendable {
  /// Gradients of the parameters, under the names of the parameters.
  associatedtype Gradients: Sendable

  /// The context: [B, Dv] for queries [B, Hq], [B, Tq, Dv] for queries [B, Tq, Hq].
  func callAsFunction(_ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask) -> Tensor

  /// The weights of one head, H = 1, made when rows of them are asked for; queries [B, Hq] are one row.
  func weightsOnDemand(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> AttentionWeights

  /// The context, and a function from its gradient to those of the parameters and inputs.
  func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor?, mask: AttentionMask
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>)
}

/// Gradients of a loss through an ``AlignmentLayer``.
public struct AlignmentGradients<Parameters: Sendable>: Sendable {
  /// Of the parameters.
  public var parameters: Parameters
  /// As the queries.
  public var queries: Tensor
  /// As the keys; where these served as values too, the sum over both uses.
  public var keys: Tensor
  /// As the values; nil where the keys served as values.
  public var values: Tensor?

  /// Gradients of a layer of one's own.
  public init(parameters: Parameters, queries: Tensor, keys: Tensor, values: Tensor?) {
    self.parameters = parameters
    self.queries = queries
    self.keys = keys
    self.values = values
  }
}

extension AlignmentGradients: Equatable where Parameters: Equatable {}

/// The gradients of the parameters of a layer that has none.
public struct NoParameters: Sendable, Equatable {
  /// Nothing.
  public init() {}
}

extension AlignmentLayer {
  /// The weights: [B, Tk] for queries [B, Hq], [B, Tq, Tk] for queries [B, Tq, Hq].
  public func weights(_ queries: Tensor, keys: Tensor, mask: AttentionMask = .none) -> Tensor {
    let weights = weightsOnDemand(queries, keys: keys, mask: mask).matrix()
    return weights.reshaped(to: queries.shape.dropLast() + [weights.shape[3]])
  }

  /// The context and the weights. The weights take Tq × Tk numbers that the context alone does not need.
  public func attend(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (context: Tensor, weights: Tensor) {
    (
      callAsFunction(queries, keys: keys, values: values, mask: mask),
      weights(queries, keys: keys, mask: mask)
    )
  }
}
