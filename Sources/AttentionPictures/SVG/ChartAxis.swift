/// The range of an axis and its round numbers.
struct ChartAxis {
  let lower, upper: Double
  /// Round numbers within the range, in order.
  let ticks: [Double]

  /// An axis that holds the finite values; of whole numbers the ticks are whole, too.
  init(_ values: [Double], isWhole: Bool) {
    var (low, high) = (values.min() ?? 0, values.max() ?? 1)
    // A range without width is widened, by more than rounding.
    if high - low <= max(low.magnitude, high.magnitude) * 1e-9 {
      let margin = isWhole ? 1 : max(low.magnitude * 0.1, 1e-3)
      (low, high) = (low - margin, high + margin)
    }
    let step = Self.step(of: high - low, isWhole: isWhole)
    // The vertical axis ends at ticks.
    if !isWhole {
      (low, high) = (min(low, (low / step).rounded(.down) * step), max(high, (high / step).rounded(.up) * step))
    }
    lower = low
    upper = high
    let (first, last) = ((low / step - 1e-6).rounded(.up), (high / step + 1e-6).rounded(.down))
    ticks = last - first <= 100 ? stride(from: first, through: last, by: 1).map { $0 * step } : [low, high]
  }

  /// Where a value is: 0 at the lower end, 1 at the upper.
  func fraction(_ value: Double) -> Double { (value - lower) / (upper - lower) }

  /// 1, 2 or 5 times a power of ten: about six in the range.
  private static func step(of range: Double, isWhole: Bool) -> Double {
    var power = 1.0
    while power * 10 <= range / 6 { power *= 10 }
    while power > range / 6 { power /= 10 }
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= range / 6 } ?? power
    return isWhole ? max(step.rounded(), 1) : step
  }
}
