/// What repeated measurements of one quantity say: the middle, the middle half, the extremes.
public struct Summary: Sendable, Equatable, Codable {
  /// Half of the samples are below.
  public let median: Double
  /// A quarter of the samples are below.
  public let lowerQuartile: Double
  /// A quarter of the samples are above.
  public let upperQuartile: Double
  /// The smallest sample.
  public let minimum: Double
  /// The largest sample.
  public let maximum: Double
  /// In the order they were taken.
  public let samples: [Double]

  /// Summarises at least one sample.
  public init(_ samples: [Double]) {
    precondition(!samples.isEmpty, "Summary: there are no samples")
    let sorted = samples.sorted()
    self.samples = samples
    minimum = sorted[0]
    maximum = sorted[sorted.count - 1]
    lowerQuartile = quantile(0.25, ofSorted: sorted)
    median = quantile(0.5, ofSorted: sorted)
    upperQuartile = quantile(0.75, ofSorted: sorted)
  }
}

extension Summary {
  /// Of a[i] ÷ b[i], samples that were taken side by side: drift that slows both alike cancels.
  public static func ratios(_ a: [Double], to b: [Double]) -> Summary {
    precondition(a.count == b.count, "Summary: \(a.count) and \(b.count) samples are not pairs")
    return Summary(zip(a, b).map { $0 / $1 })
  }

  /// Of every sample times a positive factor.
  public func scaled(by factor: Double) -> Summary { Summary(samples.map { $0 * factor }) }
}

/// Linear between the two nearest samples (type 7 of Hyndman & Fan 1996), as NumPy does it.
func quantile(_ fraction: Double, ofSorted sorted: [Double]) -> Double {
  let position = fraction * Double(sorted.count - 1)
  let below = Int(position)
  let above = min(below + 1, sorted.count - 1)
  return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
}
