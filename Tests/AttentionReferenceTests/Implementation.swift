import AttentionReference

/// What must follow the same semantics.
enum Implementation: CaseIterable, Sendable {
  case reference, naiveDouble, naiveFloat

  /// The output and the log-sum-exp of a problem.
  func callAsFunction(_ problem: Problem) -> (output: [Double], logSumExp: [Double]) {
    switch self {
    case .reference:
      let result = problem.reference()
      return (result.output, result.logSumExp)
    case .naiveDouble:
      return naive(problem, as: Double.self)
    case .naiveFloat:
      let (output, logSumExp) = naive(problem, as: Float.self)
      return (output.map(Double.init), logSumExp.map(Double.init))
    }
  }

  /// u: half the distance from 1 to the next number.
  var unitRoundoff: Double { self == .naiveFloat ? 0x1p-24 : 0x1p-53 }

  private func naive(_ problem: Problem, as type: Double.Type) -> (output: [Double], logSumExp: [Double]) {
    naiveAttention(
      queries: problem.queries, keys: problem.keys, values: problem.values, shape: problem.shape,
      options: problem.options)
  }

  private func naive(_ problem: Problem, as type: Float.Type) -> (output: [Float], logSumExp: [Float]) {
    naiveAttention(
      queries: problem.queries.map(Float.init), keys: problem.keys.map(Float.init),
      values: problem.values.map(Float.init), shape: problem.shape, options: problem.options)
  }
}
