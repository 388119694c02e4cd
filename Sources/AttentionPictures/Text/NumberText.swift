/// Numbers for people.
enum NumberText {
  /// `digits` digits after the point; exponents beyond a million, `nan`, `inf` and `-inf`.
  static func fixed(_ number: Double, digits: Int) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    guard number.magnitude < 1e6 else { return "\(Float(number))" }
    let power = (0..<digits).reduce(1) { product, _ in product * 10 }
    let scaled = Int((number.magnitude * Double(power)).rounded())
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + "\(scaled)" }
    let fraction = "\(scaled % power)"
    return sign + "\(scaled / power)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  static func fixed(_ number: Float, digits: Int) -> String { fixed(Double(number), digits: digits) }

  /// Without zeros at the end of the fraction: coordinates.
  static func short(_ number: Double, digits: Int = 2) -> String {
    var text = fixed(number, digits: digits)
    guard text.contains("."), !text.contains("e") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  /// An end of a scale: three significant digits as long as they are readable.
  static func scaleEnd(_ number: Double) -> String {
    if number == 0 { return "0" }
    switch number.magnitude {
    case 0.1...: return short(number, digits: 2)
    case 0.001..<0.1: return short(number, digits: 4)
    default: return "\(Float(number))"
    }
  }
}
