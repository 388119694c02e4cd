import AttentionReference
import Safetensors

/// How far results of a problem may be from the oracle's.
///
/// A result passes when its error is at most twice that of the textbook code in the type computed in, plus a term from
/// the sizes, plus its own rounding to the type stored. The term, with u the unit roundoff of the type computed in, and
/// A the largest that the terms of a score can sum to in magnitude: a score is off by (D + c)·u·A, with D roundings of
/// the sum and c = 8 for product, scale, cap, bias, ALiBi, their folding into base 2 and the rounding of inputs. A
/// weight is off, relatively, by twice that, from numerator and denominator, and (Sk + c)·u for the sum, exp and the
/// division. Weights sum to at most 1/(1 − p) under dropout, and weigh values of at most V.
struct Tolerance {
  var output: Double
  var logSumExp: Double
  var weights: Double
  var scores: Double

  init(_ problem: Problem, oracle: ReferenceResult) {
    let (shape, options) = (problem.shape, problem.options)
    let largest = { (numbers: [Double]) in numbers.filter(\.isFinite).map(\.magnitude).max() ?? 0 }
    let scale = (options.scale ?? 1 / Double(shape.headDimension).squareRoot()).magnitude
    let farthest = Double(shape.queryLength + shape.keyLength) + largest(options.queryOffsets.map { Double($0) })
    let A =
      scale * Double(shape.headDimension) * largest(problem.queries) * largest(problem.keys)
      + largest(options.bias?.elements ?? []) + largest(options.alibiSlopes ?? []) * farthest
      + largest(options.sinks ?? [])
    let V = largest(problem.values) / (1 - options.dropoutProbability)
    let (D, Sk, c) = (Double(shape.headDimension), Double(shape.keyLength), 8.0)
    let u = problem.type.computeType.unitRoundoff
    scores = (D + c) * A * u
    weights = (2 * (D + c) * A + Sk + c) * u
    logSumExp = scores + (Sk + c) * u
    output = V * weights

    let naive =
      problem.type == .f64
      ? Tolerance.errors(
        naiveAttention(
          queries: problem.queries, keys: problem.keys, values: problem.values, shape: shape, options: options),
        against: oracle)
      : Tolerance.errors(
        naiveAttention(
          queries: problem.queries.map { Float($0) }, keys: problem.keys.map { Float($0) },
          values: problem.values.map { Float($0) }, shape: shape, options: options),
        against: oracle)
    output += 2 * naive.output
    logSumExp += 2 * naive.logSumExp
  }

  private static func errors<Scalar: BinaryFloatingPoint>(
    _ naive: (output: [Scalar], logSumExp: [Scalar]), against oracle: ReferenceResult
  ) -> (output: Double, logSumExp: Double) {
    func largest(_ a: [Scalar], _ b: [Double]) -> Double {
      zip(a, b).map { (Double($0) - $1).magnitude }.filter(\.isFinite).max() ?? 0
    }
    return (largest(naive.output, oracle.output), largest(naive.logSumExp, oracle.logSumExp))
  }
}

/// The first element whose difference from the oracle's exceeds the bound plus one rounding to `type`, in words; nil
/// when there is none. Infinities and NaN pass only where the oracle has the same.
func firstDifference(
  _ name: String, _ found: [Double], _ expected: [Double], within bound: Double, storedAs type: SafetensorsType
) -> String? {
  guard found.count == expected.count else { return "\(name) has \(found.count) elements, expected \(expected.count)" }
  for (index, (x, y)) in zip(found, expected).enumerated() {
    if x == y || (x.isNaN && y.isNaN) { continue }
    let limit = bound + (y.magnitude + bound) * type.unitRoundoff + type.underflow
    if !((x - y).magnitude <= limit) { return "\(name)[\(index)] is \(x), expected \(y) within \(limit)" }
  }
  return nil
}
