import Foundation

/// By what the log probability of a translation is divided before translations of unequal lengths are compared:
///
///     score(Y) = log p(Y) ÷ lp(|Y|)
///
/// |Y| counts the words and `</s>`. Without it the shortest translations win, for each word makes a translation less
/// probable. lp never falls with the length: what search's stopping rule rests on.
public enum LengthNormalization: Sendable, Equatable {
  /// lp = 1.
  case none
  /// lp = |Y|^α; α = 1 is the mean log probability of a word. α is finite, 0 or above.
  case length(alpha: Double)
  /// lp = ((5 + |Y|) ÷ 6)^α (Wu et al. 2016, arXiv:1609.08144, equation 14). α is finite, 0 or above.
  case wu(alpha: Double)

  /// lp of a length of 1 or above.
  public func divisor(length: Int) -> Double {
    switch self {
    case .none: 1
    case .length(let alpha): pow(Double(length), alpha)
    case .wu(let alpha): pow((5 + Double(length)) / 6, alpha)
    }
  }

  var isValid: Bool {
    switch self {
    case .none: true
    case .length(let alpha), .wu(let alpha): alpha.isFinite && alpha >= 0
    }
  }
}
