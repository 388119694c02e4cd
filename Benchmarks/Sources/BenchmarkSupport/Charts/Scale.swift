import Foundation

/// Where numbers of a domain lie on paper.
public struct Scale: Sendable, Equatable {
  /// How distances on paper grow.
  public enum Kind: Sendable { case linear, logarithmic }

  /// Equal steps or equal factors.
  public let kind: Kind
  /// The numbers that are shown. Positive on a logarithmic scale.
  public let domain: ClosedRange<Double>
  /// Where the lower and the upper end of the domain lie; the first may be the larger one.
  public let ends: (lower: Double, upper: Double)

  /// A scale from a domain of some extent to an interval on paper.
  public init(_ kind: Kind, domain: ClosedRange<Double>, from lower: Double, to upper: Double) {
    precondition(domain.lowerBound < domain.upperBound, "Scale: the domain \(domain) has no extent")
    precondition(kind == .linear || domain.lowerBound > 0, "Scale: a logarithmic domain must be positive")
    self.kind = kind
    self.domain = domain
    ends = (lower, upper)
  }

  /// The place of a number; outside of the interval for numbers outside of the domain.
  public func position(_ value: Double) -> Double {
    let fraction =
      switch kind {
      case .linear: (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
      case .logarithmic: log(value / domain.lowerBound) / log(domain.upperBound / domain.lowerBound)
      }
    return ends.lower + fraction * (ends.upper - ends.lower)
  }

  /// The number of the domain nearest to a number.
  public func clamped(_ value: Double) -> Double { min(max(value, domain.lowerBound), domain.upperBound) }

  public static func == (a: Scale, b: Scale) -> Bool {
    a.kind == b.kind && a.domain == b.domain && a.ends == b.ends
  }
}
