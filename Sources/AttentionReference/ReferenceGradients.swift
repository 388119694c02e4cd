/// The gradients of a loss in the inputs of an attention problem.
public struct ReferenceGradients: Sendable {
  /// [B, H, Sq, D]: 0 in a row that may attend to nothing.
  public var queries: [Double]
  /// [B, G, Sk, D]: summed over the query heads of a group.
  public var keys: [Double]
  /// [B, G, Sk, Dv]: summed over the query heads of a group.
  public var values: [Double]
  /// Of the bias's own shape: summed over the pairs that read an element. Nil without a bias.
  public var bias: [Double]?
  /// [D] or [H, D], as the option: summed over batches and pairs, and over heads where these share it. Nil unless
  /// scores are additive.
  public var additive: [Double]?
  /// [H]: summed over batches and queries. Nil without sinks.
  public var sinks: [Double]?
}
