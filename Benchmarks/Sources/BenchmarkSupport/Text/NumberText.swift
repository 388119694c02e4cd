import Foundation

/// Numbers as tables and charts show them: the same digits in every locale.
public enum NumberText {
  /// With a fixed number of digits after the point.
  public static func fixed(_ value: Double, digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", value) : "\(value)"
  }

  /// With about this many significant digits, never in scientific notation.
  public static func significant(_ value: Double, digits: Int = 3) -> String {
    guard value != 0, value.isFinite else { return fixed(value, digits: 0) }
    let exponent = Int(log10(value.magnitude).rounded(.down))
    return fixed(value, digits: max(0, digits - 1 - exponent))
  }

  /// The fewest digits that tell a round number, such as `2.5` or `40`.
  public static func round(_ value: Double) -> String { String(format: "%.10g", value) }

  /// Such as `1.9e-07`.
  public static func scientific(_ value: Double) -> String { String(format: "%.1e", value) }

  /// Such as `65,536`; four digits stay together.
  public static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    guard digits.count > 4 else { return String(value) }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return value < 0 ? "-" + text : text
  }

  /// A time in the unit that suits it, such as `12.3 ms`.
  public static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: significant(seconds * 1e6) + " µs"
    case ..<1: significant(seconds * 1e3) + " ms"
    default: significant(seconds) + " s"
    }
  }
}
