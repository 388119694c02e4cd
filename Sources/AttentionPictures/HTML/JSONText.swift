/// JSON that may stand within a `script` element: `<`, `>` and `&` are escaped, so that no text ends the element.
enum JSONText {
  static func string(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case "<", ">", "&", "\u{2028}", "\u{2029}", "\u{7F}", "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }

  static func array(_ elements: some Sequence<String>) -> String { "[" + elements.joined(separator: ",") + "]" }

  /// Four significant digits at least; what is not finite, which JSON has no number for, as a string.
  static func number(_ number: Float) -> String {
    guard number.isFinite else { return string(NumberText.fixed(number, digits: 0)) }
    if number == 0 { return "0" }
    if 0.001...1 ~= number.magnitude { return NumberText.short(Double(number), digits: 6) }
    return "\(number)"
  }
}
