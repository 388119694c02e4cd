import Attention
import AttentionReference
import Foundation

/// How far a computation of a problem may be from its exact result for rounding alone, derived from the sizes. One
/// number a row of [B, H, Sq], before the result is rounded to its storage type.
///
/// With u the unit roundoff of the type computed in and γ_n = n·u/(1 − n·u) the bound of n roundings in a row (Higham,
/// Accuracy and Stability of Numerical Algorithms, 2002, lemma 3.1), for one row:
///
/// - M = |scale|·‖q‖·max‖k‖ + max|bias| + slope·max|i + offset − j| bounds a score and the magnitudes that are summed
///   for it.
/// - A score is off by at most γ_{D+c}·M. D roundings of the sum; c = 24 for the rounding of scale, cap, bias and slope
///   (times log₂ e: 2 each, 8 in all), their products (3), two sums (2), and tanh: 11 for its polynomial, its
///   exponential and its quotient.
/// - A weight exp(s − m) adds the rounding of s − m, at most 2M·u, and again 2M·u for the steps by which the running
///   maximum reached m; 4u of the exponential itself; and, for each of at most T = Sk/32 + 1 tiles of keys, 5u for
///   another exponential and a product where the maximum grew. Then Sk roundings of the sum and 4 of the normalisation.
/// - So numerator and denominator are each off by a factor e^{±η} or less, η = γ_n with
///   n = (D + c + 4)·M + 4 + 5T + Sk + 4, and the output by 2η·V to first order, V = max|v|/(1 − p). Results below the
///   smallest normal number may count as 0: Sk of them, times V.
/// - The log-sum-exp is off by η, the sink's rounding, and the roundings of m, of ln and of the result: 4u·|lse|.
///
/// A Double result is compared with an oracle in Double, for which the same holds: twice as much.
struct RoundingBound {
  private(set) var output: [Double] = []
  private(set) var logSumExp: [Double] = []

  init(_ problem: Problem, type: AttentionScalarType, oracle: [Double]) {
    let (shape, options) = (problem.shape, problem.options)
    let u = type.unitRoundoff
    let parties: Double = type == .float64 ? 2 : 1
    let (Sk, D) = (Double(shape.keyLength), Double(shape.headDimension))
    let scale = (options.scale ?? 1 / D.squareRoot()).magnitude
    let bias = largest(options.bias?.elements ?? [])
    let V = largest(problem.values) / (1 - options.dropoutProbability)
    let roundings = { (M: Double) in (D + 24 + 4) * M + 4 + 5 * (Sk / 32 + 1) + Sk + 4 }
    let keyNorms = norms(problem.keys, dimension: shape.headDimension)
    let queryNorms = norms(problem.queries, dimension: shape.headDimension)
    let farthest = Double(shape.queryLength + shape.keyLength) + largest(options.queryOffsets.map { Double($0) })

    for b in 0..<shape.batch {
      for h in 0..<shape.queryHeads {
        let firstKey = problem.keyRow(batch: b, keyHead: h / (shape.queryHeads / shape.keyHeads), key: 0)
        let keyNorm = keyNorms[firstKey..<firstKey + shape.keyLength].max() ?? 0
        let slope = (options.alibiSlopes?[h] ?? 0).magnitude
        let sink = (options.sinks?[h] ?? 0).magnitude
        for i in 0..<shape.queryLength {
          let row = problem.row(batch: b, head: h, query: i)
          let n = roundings(scale * queryNorms[row] * keyNorm + bias + slope * farthest) + 2 * sink
          let η = n * u / (1 - n * u)
          output.append(parties * (V * expm1(2 * η) + Sk * V * type.leastNormal))
          let lse = oracle[row].isFinite ? oracle[row].magnitude : 0
          logSumExp.append(parties * (expm1(η) + 4 * u * (lse + sink)))
        }
      }
    }
  }
}

/// The largest finite magnitude, 0 of none.
private func largest(_ numbers: [Double]) -> Double {
  numbers.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
}

/// The Euclidean norms of the rows, over their finite elements.
private func norms(_ elements: [Double], dimension: Int) -> [Double] {
  stride(from: 0, to: elements.count, by: dimension).map { first in
    elements[first..<first + dimension].reduce(0) { $1.isFinite ? $0 + $1 * $1 : $0 }.squareRoot()
  }
}
