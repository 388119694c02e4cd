/// The numbers that the two ends of a colour scale stand for.
struct WeightRange {
  var low, high: Double

  /// From 0, or the least number where that is below 0, to the largest finite number.
  init(of scalars: [Float]) {
    low = 0
    high = 0
    for scalar in scalars where scalar.isFinite {
      low = min(low, Double(scalar))
      high = max(high, Double(scalar))
    }
    // All zero: anything above would be strong.
    if low == high { high = 1 }
  }

  init(_ range: ClosedRange<Float>?, of matrix: WeightMatrix) {
    self.init(of: matrix.scalars)
    guard let range else { return }
    require(
      range.lowerBound.isFinite && range.upperBound.isFinite && range.lowerBound < range.upperBound,
      "WeightMatrix: expected a range of finite numbers that is not empty, got \(range)")
    (low, high) = (Double(range.lowerBound), Double(range.upperBound))
  }

  /// Where a number lies, 0 to 1, with what is outside at the ends; nil when it is not finite.
  func fraction(_ scalar: Float) -> Double? {
    scalar.isFinite ? min(max((Double(scalar) - low) / (high - low), 0), 1) : nil
  }
}
