import Foundation

/// The numbers that an axis names.
public enum Ticks {
  /// Multiples of 1, 2 or 5 times a power of ten inside `range`, about `count` of them.
  public static func linear(_ range: ClosedRange<Double>, about count: Int = 6) -> [Double] {
    let step = niceStep((range.upperBound - range.lowerBound) / Double(max(count, 1)))
    let first = (range.lowerBound / step - 1e-9).rounded(.up)
    let last = (range.upperBound / step + 1e-9).rounded(.down)
    guard first <= last else { return [] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// Powers of ten inside `range`; over few decades 2 and 5 times these too, over many only every second or third.
  public static func logarithmic(_ range: ClosedRange<Double>) -> [Double] {
    let decades = log10(range.upperBound / range.lowerBound)
    let factors: [Double] = decades < 2.5 ? [1, 2, 5] : [1]
    let stride = Swift.max(1, Int((decades / 8).rounded(.up)))
    let first = Int(log10(range.lowerBound).rounded(.down))
    let last = Int(log10(range.upperBound).rounded(.up))
    var ticks: [Double] = []
    for exponent in first...last where exponent.isMultiple(of: stride) {
      for factor in factors { ticks.append(factor * pow(10, Double(exponent))) }
    }
    let slack = 1 + 1e-9
    return ticks.filter { $0 * slack >= range.lowerBound && $0 <= range.upperBound * slack }
  }

  /// `range` widened to the steps that its ticks take.
  public static func widened(_ range: ClosedRange<Double>, about count: Int = 6) -> ClosedRange<Double> {
    let extent = range.upperBound - range.lowerBound
    let step = niceStep((extent > 0 ? extent : 1) / Double(max(count, 1)))
    let lower = (range.lowerBound / step + 1e-9).rounded(.down) * step
    let upper = (range.upperBound / step - 1e-9).rounded(.up) * step
    return lower...(upper > lower ? upper : lower + step)
  }

  /// As many of the values, the last always among them, as leave `distance` between neighbours on paper.
  public static func thinned(_ values: [Double], on scale: Scale, distance: Double) -> [Double] {
    var kept: [Double] = []
    for value in values.sorted(by: >) {
      if let last = kept.last, abs(scale.position(last) - scale.position(value)) < distance { continue }
      kept.append(value)
    }
    return kept.reversed()
  }

  static func niceStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    let factor = [1, 2, 5, 10].first { step <= $0 * power * (1 + 1e-9) } ?? 10
    return factor * power
  }
}
