import Attention

extension Problem {
  /// The final scores in Double as the library sees them, [B, H, Sq, Sk].
  func scores(instructionSet: String? = nil) throws -> [Double] {
    var scores = [Double](repeating: .nan, count: pairs.reduce(1, *))
    var span = scores.mutableSpan
    try attentionMatrix(
      queries: queries.span, keys: keys.span, into: &span, shape: attentionShape(), scale: options.scale, mask: mask,
      options: attentionOptions(for: .float64, instructionSet: instructionSet))
    return scores
  }

  /// The weights in Double, [B, H, Sq, Sk].
  func weights(instructionSet: String? = nil) throws -> [Double] {
    let lse = try fused(as: .float64, instructionSet: instructionSet).logSumExp
    var weights = [Double](repeating: .nan, count: pairs.reduce(1, *))
    var span = weights.mutableSpan
    try attentionMatrix(
      queries: queries.span, keys: keys.span, into: &span, logSumExp: lse.span, shape: attentionShape(),
      scale: options.scale, mask: mask, options: attentionOptions(for: .float64, instructionSet: instructionSet))
    return weights
  }
}
