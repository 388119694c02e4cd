/// What the oracle answers.
public struct ReferenceResult: Sendable {
  /// [B, H, Sq, Dv]: the weighted values. 0 in a row that may attend to nothing.
  public var output: [Double]
  /// [B, H, Sq]: the natural log-sum-exp of the visible scores and the sink, as if there were no dropout. −∞ in a row
  /// that may attend to nothing, also where there is a sink.
  public var logSumExp: [Double]
  /// [B, H, Sq, Sk]: the softmax (the sink in its denominator), as if there were no dropout. 0 where a pair is
  /// invisible. Nil unless matrices were asked for.
  public var weights: [Double]?
  /// [B, H, Sq, Sk]: the scores before the softmax. −∞ where a pair is invisible. Nil unless matrices were asked for.
  public var scores: [Double]?
}
