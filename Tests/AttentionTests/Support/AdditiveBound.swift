import AttentionReference
import Foundation

/// How far additive attention and its gradients in `Float` may be from their exact values for rounding alone, element by
/// element, to first order. With u = 2⁻²⁴, and errors of sums in any order as in Higham, Accuracy and Stability of
/// Numerical Algorithms, 2002, section 3.1:
///
/// - A tanh may be taken as 1 − 2r, r = 1 ÷ (1 + e^{2q}·e^{2k}), four fractions to a division, while |q| + |k| ≤ 10.5.
///   The exponents round by 4u·(|q| + |k|), two exponentials and a division add 11u, product and sum 2u; r(1 − r) ≤ ¼
///   and twice r count: (2(|q| + |k|) + 7)·u, and the common denominator 7u of 2r. Beyond 10.5 the sum rounds, by at most
///   u after its slope, and a tanh is within 4u. Together e_t = (2·min(|q| + |k|, 10.5) + 24)·u.
/// - The D terms of a score and their fractions of four are within (2D + 24)·u of Σ|scale·w|, scale and its folding
///   included: E = Σ |scale·w|·(e_t + (2D + 24)·u).
/// - A weight has ρ = E + u·|m − s| + 5(T + 1)·u: the distance from the maximum m rounds, and there is an exponential
///   for the weight and one for each of T = Sk ÷ 32 + 1 tiles. Sums and quotient add κ = (Sk + T + 8)·u. An output is off
///   by Σ p(ρ + κ)(|v| + |o|) + κ·|o|, the log-sum-exp by e_L = Σ pρ + κ + 3u·|lse|, and a weight recomputed from it by
///   e_p = p·(ρ + e_L + 3u·(|s| + |lse|)).
/// - ⟨do, v⟩ is within (Dv + 3)·u of its magnitudes and δ = ⟨do, o⟩ within (Dv + 1)·u of its own plus Σ|do|·e_o. With
///   x = |⟨do, v⟩ − δ| and e_x the sum of the two and u·x, ds = p·x is off by e_ds = e_p·x + (p + e_p)(e_x + u·(x + e_x)).
/// - 1 − t² is off by e_v = 2·e_t + 8u. Sums over n pairs, with the factors around them, are within γ of their magnitudes:
///   (Sk + 8)·u for dq, (R + 8)·u for dk and (R + 3)·u for dv of R rows, 3(N + 8)·u for dw of N pairs, which is summed in
///   two parts.
struct AdditiveBound {
  private(set) var output, queries, keys, values, vector, sinks: [Double]
  private let problem: Problem
  private let oracle: ReferenceResult
  private let outputGradient: [Double]
  private let u = 0x1p-24

  init(_ problem: Problem, oracle: ReferenceResult, outputGradient: [Double]) {
    self.problem = problem
    self.oracle = oracle
    self.outputGradient = outputGradient
    let zeros = { (count: Int) in [Double](repeating: 0, count: count) }
    output = zeros(problem.outputCount)
    queries = zeros(problem.queries.count)
    keys = zeros(problem.keys.count)
    values = zeros(problem.values.count)
    vector = zeros(problem.options.additive?.count ?? 0)
    sinks = zeros(problem.shape.queryHeads)
    for row in 0..<problem.rowCount where oracle.logSumExp[row] > -.infinity { add(row) }
  }

  private struct Pair {
    let index, key: Int
    let weight, score: Double
    var rho = 0.0
  }

  private mutating func add(_ row: Int) {
    let shape = problem.shape
    let (Sk, Dv) = (Double(shape.keyLength), shape.valueDimension)
    let head = row / shape.queryLength % shape.queryHeads
    let stream = row / shape.queryLength / shape.queryHeads * shape.keyHeads
    let firstKey = (stream + head / (shape.queryHeads / shape.keyHeads)) * shape.keyLength
    let T = (Sk / 32).rounded(.down) + 1
    let (kappa, lse) = ((Sk + T + 8) * u, oracle.logSumExp[row])
    let sink = problem.options.sinks?[head]
    var pairs = (0..<shape.keyLength).compactMap { j -> Pair? in
      let index = row * shape.keyLength + j
      guard oracle.scores![index] > -.infinity else { return nil }
      return Pair(index: index, key: firstKey + j, weight: oracle.weights![index], score: oracle.scores![index])
    }
    let top = pairs.map(\.score).reduce(sink ?? -.infinity, max)
    for n in pairs.indices {
      pairs[n].rho = scoreError(row, head, pairs[n].key) + u * (top - pairs[n].score) + 5 * (T + 1) * u
    }
    let lseError = pairs.reduce(kappa + 3 * u * lse.magnitude) { $0 + $1.weight * $1.rho }

    var (delta, deltaError) = (0.0, 0.0)
    for d in 0..<Dv {
      let n = row * Dv + d
      let (o, g) = (oracle.output[n].magnitude, outputGradient[n].magnitude)
      output[n] = pairs.reduce(kappa * o) {
        $0 + $1.weight * ($1.rho + kappa) * (problem.values[$1.key * Dv + d].magnitude + o)
      }
      delta += outputGradient[n] * oracle.output[n]
      deltaError += g * (Double(Dv + 1) * u * o + output[n])
    }
    if let sink {
      let y = exp(sink - lse)
      let error = y * (lseError + 3 * u * (sink.magnitude + lse.magnitude) + 2 * u)
      let gamma = Double(problem.rowCount + 2) * u
      sinks[head] += y * deltaError + (error + gamma * (y + error)) * (delta.magnitude + deltaError)
    }
    for pair in pairs {
      let error = pair.weight * (pair.rho + lseError + 3 * u * (pair.score.magnitude + lse.magnitude))
      add(pair, error, row, head, delta, deltaError)
    }
  }

  /// The part of a pair in the gradients; `error` is e_p.
  private mutating func add(
    _ pair: Pair, _ error: Double, _ row: Int, _ head: Int, _ delta: Double, _ deltaError: Double
  ) {
    let shape = problem.shape
    let (D, Dv, scale) = (shape.headDimension, shape.valueDimension, problem.options.scale ?? 1)
    let rows = Double(shape.queryLength * shape.queryHeads / shape.keyHeads)
    var (along, size) = (0.0, 0.0)
    for d in 0..<Dv {
      let product = outputGradient[row * Dv + d] * problem.values[pair.key * Dv + d]
      along += product
      size += product.magnitude
      values[pair.key * Dv + d] +=
        (error + (rows + 3) * u * (pair.weight + error)) * outputGradient[row * Dv + d].magnitude
    }
    let ownError = Double(Dv + 3) * u * size
    let x = (along - delta).magnitude + ownError + deltaError
    let xError = ownError + deltaError + u * x
    let ds = pair.weight * x
    let dsError = error * x + (pair.weight + error) * (xError + u * (x + xError))
    let N = Double(problem.rowCount * shape.keyLength)
    for d in 0..<D {
      let (q, k, w) = channel(row, head, pair.key, d)
      let t = tanh(q + k)
      let (slope, tError) = (1 - t * t, tanhError(q, k))
      let slopeError = 2 * tError + 8 * u
      let part = { (gamma: Double) in
        (scale * w).magnitude * (dsError * slope + (ds + dsError) * (slopeError + gamma * (slope + slopeError)))
      }
      queries[row * D + d] += part(Double(shape.keyLength + 8) * u)
      keys[pair.key * D + d] += part((rows + 8) * u)
      vector[vectorIndex(head, d)] +=
        scale.magnitude * (dsError * t.magnitude + (ds + dsError) * (tError + 3 * (N + 8) * u))
    }
  }

  private func scoreError(_ row: Int, _ head: Int, _ key: Int) -> Double {
    let D = problem.shape.headDimension
    return (0..<D).reduce(0) { sum, d in
      let (q, k, w) = channel(row, head, key, d)
      return sum + ((problem.options.scale ?? 1) * w).magnitude * (tanhError(q, k) + Double(2 * D + 24) * u)
    }
  }

  private func tanhError(_ q: Double, _ k: Double) -> Double { (2 * min(q.magnitude + k.magnitude, 10.5) + 24) * u }

  private func channel(_ row: Int, _ head: Int, _ key: Int, _ d: Int) -> (q: Double, k: Double, w: Double) {
    let D = problem.shape.headDimension
    return (problem.queries[row * D + d], problem.keys[key * D + d], problem.options.additive![vectorIndex(head, d)])
  }

  private func vectorIndex(_ head: Int, _ d: Int) -> Int {
    let D = problem.shape.headDimension
    return vector.count == D ? d : head * D + d
  }
}
