import Foundation

/// A BLEU score with what it came from.
public struct BLEUScore: Sendable, Equatable, CustomStringConvertible {
  /// In 0...100.
  public let score: Double
  /// p_n in percent, smoothed, for n = 1…N; all 0 where nothing matches.
  public let precisions: [Double]
  /// BP, in 0...1.
  public let brevityPenalty: Double
  /// How many runs of n words match a reference, n = 1…N.
  public let matches: [Int]
  /// How many runs of n words the hypotheses have, n = 1…N.
  public let totals: [Int]
  /// c, words of all hypotheses.
  public let hypothesisLength: Int
  /// r, words of the closest references.
  public let referenceLength: Int

  /// c ÷ r; 0 where there are no references' words.
  public var lengthRatio: Double {
    referenceLength > 0 ? Double(hypothesisLength) / Double(referenceLength) : 0
  }

  /// `BLEU = 27.50 60.1/35.0/22.3/14.2 (BP = 0.970 ratio = 0.970 hyp_len = 970 ref_len = 1000)`, as sacreBLEU writes
  /// it.
  public var description: String {
    let precisions = precisions.map { String(format: "%.1f", $0) }.joined(separator: "/")
    return String(format: "BLEU = %.2f ", score) + precisions
      + String(format: " (BP = %.3f ratio = %.3f", brevityPenalty, lengthRatio)
      + " hyp_len = \(hypothesisLength) ref_len = \(referenceLength))"
  }
}

/// Each hypothesis has at least one reference.
func requireReferences(_ references: [[String]], for hypotheses: [String], of score: String) {
  require(
    references.count == hypotheses.count,
    "\(score): expected references for \(hypotheses.count) hypotheses, got them for \(references.count)")
  require(
    references.allSatisfy { !$0.isEmpty },
    "\(score): expected a reference each, got none for hypothesis \(references.firstIndex { $0.isEmpty } ?? 0)"
  )
}

/// For a signature: how many references each sentence has, or `var`.
func referenceCount(of references: [[String]]) -> String {
  let counts = Set(references.map(\.count))
  return counts.count == 1 ? String(counts.first!) : "var"
}
