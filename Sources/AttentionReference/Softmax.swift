import RealModule

/// The softmax of a row of scores with an optional sink, and the logarithm of its denominator:
///
///     m = max(max_j s_j, sink)
///     z = Σ_j exp(s_j − m) + exp(sink − m)
///     weights_j = exp(s_j − m) / z
///     logSumExp = m + ln z
///
/// There must be a score. The formula is taken as written: a score that is NaN or +∞, or scores that are all −∞
/// without a finite sink, make every weight and the log-sum-exp NaN. Scores that are all −∞ beside a finite sink have
/// weight 0, and the log-sum-exp is the sink.
func softmax(_ scores: [Double], sink: Double?) -> (weights: [Double], logSumExp: Double) {
  var maximum = sink ?? -.infinity
  for score in scores {
    maximum = maximumPropagatingNaN(maximum, score)
  }
  let exponentials = scores.map { score in Double.exp(score - maximum) }
  var denominator = 0.0
  for exponential in exponentials {
    denominator += exponential
  }
  if let sink {
    denominator += Double.exp(sink - maximum)
  }
  return (exponentials.map { $0 / denominator }, maximum + Double.log(denominator))
}

/// The larger number, or NaN when either is NaN (`maximum` of IEEE 754-2019; Swift's `max` would hide a NaN on one
/// side).
func maximumPropagatingNaN(_ x: Double, _ y: Double) -> Double {
  if x.isNaN || y.isNaN { return .nan }
  return x < y ? y : x
}
