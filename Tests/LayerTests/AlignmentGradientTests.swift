import Attention
import AttentionReference
import Testing

/// Every gradient of every alignment layer, of each element of its parameters and inputs, against central differences of
/// its formula in `Double`, which shares no code with the layer.
@Suite struct AlignmentGradientTests {
  private static let step = 0x1p-10

  @Test(arguments: GradientRow.all) func agreesWithDifferences(row: GradientRow) {
    #expect(row.tensors.map(\.name) == row.gradients.map(\.name))
    var numbers: Numbers = [:]
    for tensor in row.tensors { numbers[tensor.name] = tensor.tensor.scalars.map { Double($0) } }
    for (tensor, gradient) in zip(row.tensors, row.gradients) {
      #expect(tensor.tensor.shape == gradient.tensor.shape)
      let differences = (0..<tensor.tensor.count).map { row.difference(numbers, tensor.name, $0, Self.step) }
      let rounding = row.roundingBound(differences)
      var largest = 0.0
      for (index, difference) in differences.enumerated() {
        let bound = rounding + difference.truncation
        let actual = Double(gradient.tensor.scalars[index])
        #expect(
          (actual - difference.total).magnitude <= bound,
          "\(tensor.name)[\(index)]: \(actual), by differences \(difference.total) ± \(bound)")
        #expect(difference.truncation <= max(rounding, 1e-12))
        largest = max(largest, difference.total.magnitude)
      }
      // The arg-max does not move.
      if row.testDescription == "hard" && tensor.name != "values" {
        #expect(largest == 0 && gradient.tensor.scalars.allSatisfy { $0 == 0 })
      } else {
        #expect(largest > 40 * rounding, "\(tensor.name) proves nothing: \(largest), rounding \(rounding)")
      }
    }
  }

  /// Differences are taken across no end of a window.
  @Test func predictedWindowsKeepTheirKeys() throws {
    let row = try #require(GradientRow.all.first { $0.testDescription == "predictive local" })
    var numbers: Numbers = [:]
    for tensor in row.tensors { numbers[tensor.name] = tensor.tensor.scalars.map { Double($0) } }
    for centre in GradientRow.centres(numbers) {
      for j in 0..<GradientRow.keyLength {
        #expect(((Double(j) - centre).magnitude - 2).magnitude > 16 * Self.step)
      }
    }
  }
}

/// A central difference, by the query whose output it comes from.
private struct Difference {
  /// What each row of outputs adds.
  var rows: [Double]
  /// For each row the largest change of a visible score.
  var scores: [Double]
  /// What extrapolation left of the truncation is below this.
  var truncation: Double

  var total: Double { rows.reduce(0, +) }
}

extension GradientRow {
  /// The difference with steps h and h/2, extrapolated, in one element.
  fileprivate func difference(_ numbers: Numbers, _ name: String, _ index: Int, _ h: Double) -> Difference {
    func at(_ step: Double) -> FormulaResult {
      var moved = numbers
      moved[name]![index] += step
      return formula(moved)
    }
    let rows = Self.batch * Self.queryLength
    let width = factors.count / rows
    func slopes(_ h: Double) -> (rows: [Double], scores: [Double]) {
      let (above, below) = (at(h), at(-h))
      return (
        (0..<rows).map { row in
          (row * width..<(row + 1) * width).reduce(0) {
            $0 + factors[$1] * (above.outputs[$1] - below.outputs[$1]) / (2 * h)
          }
        },
        (0..<rows).map { row in
          (row * Self.keyLength..<(row + 1) * Self.keyLength).reduce(0) { largest, pair in
            let change = (above.scores[pair] - below.scores[pair]).magnitude / (2 * h)
            return change.isFinite ? max(largest, change) : largest
          }
        }
      )
    }
    let (wide, narrow) = (slopes(h), slopes(h / 2))
    let estimate = zip(narrow.rows, wide.rows).map { (4 * $0 - $1) / 3 }
    let truncation = zip(narrow.rows, wide.rows).reduce(0) { $0 + ($1.0 - $1.1).magnitude }
    return Difference(rows: estimate, scores: narrow.scores, truncation: truncation)
  }

  /// How far a layer's gradients of one tensor may be off for rounding in `Float`, to first order.
  ///
  /// With u = 2⁻²⁴ and n the terms of all sums on the way (queries, keys, hidden units, keys of a row, values, rows) and
  /// 32 for exponentials, tanh, square roots and quotients: a score is off by n·u·M, a weight p by 2n·u·M + n·u of itself.
  /// Row i adds Σ_j p_ij (a_ij − δ_i) ∂s_ij, where a and δ are at most A_i, the largest factor of a weight: with C_i the
  /// largest derivative of its scores by an element of the tensor, terms of at most 2·A_i·C_i in all. They are off by
  /// p's error, by δ's, which holds it again, by n·u each for a, the sums and the product, and by 2n·u·(1 + M) in ∂s,
  /// whose projections and slopes have the errors of scores: together less than η = 4n·u·(2 + M). What does not come
  /// through scores (values) is a sum of terms p·do, off by η of their magnitudes.
  fileprivate func roundingBound(_ differences: [Difference]) -> Double {
    let terms =
      Self.queryDimensions + Self.keyDimensions + Self.hidden + Self.keyLength + Self.width
      + Self.batch * Self.queryLength + 32
    let η = 4 * Double(terms) * 0x1p-24 * (2 + scoreMagnitude)
    let throughScores = weightFactors.indices.reduce(0) { sum, row in
      sum + 2 * weightFactors[row] * differences.reduce(0) { max($0, $1.scores[row]) }
    }
    let direct = differences.reduce(0) { max($0, $1.rows.reduce(0) { $0 + $1.magnitude }) }
    return η * (throughScores + direct)
  }
}
