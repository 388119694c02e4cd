/// Elements of an SVG file, one after the other.
struct SVGDrawing {
  enum Anchor: String { case start, middle, end }

  static let ink = "#1a1a1a"
  static let faint = "#5c5c5c"

  private var elements: [String] = []

  mutating func add(_ element: String) { elements.append(element) }

  /// A rectangle, with a text that browsers show under the pointer.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, tooltip: String? = nil
  ) {
    let box = "<rect x=\"\(x.svg)\" y=\"\(y.svg)\" width=\"\(width.svg)\" height=\"\(height.svg)\" fill=\"\(fill)\""
    elements.append(box + (tooltip.map { "><title>\($0.escapedForXML)</title></rect>" } ?? "/>"))
  }

  /// A text whose baseline starts, is centred or ends at a point, around which `angle` turns it clockwise. The whole
  /// text goes along when it is cut.
  mutating func text(
    _ string: String, x: Double, y: Double, size: Double, fill: String = SVGDrawing.ink, anchor: Anchor = .start,
    angle: Double = 0, isBold: Bool = false, whole: String? = nil
  ) {
    var attributes = "x=\"\(x.svg)\" y=\"\(y.svg)\" font-size=\"\(size.svg)\" fill=\"\(fill)\""
    if anchor != .start { attributes += " text-anchor=\"\(anchor.rawValue)\"" }
    if isBold { attributes += " font-weight=\"600\"" }
    if angle != 0 { attributes += " transform=\"rotate(\(angle.svg) \(x.svg) \(y.svg))\"" }
    let tooltip = whole == nil || whole == string ? "" : "<title>\(whole!.escapedForXML)</title>"
    elements.append("<text \(attributes)>\(tooltip)\(string.escapedForXML)</text>")
  }

  /// The whole file: no script, no style sheet, nothing from elsewhere.
  func document(width: Double, height: Double, title: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width.svg)" height="\(height.svg)" \
    viewBox="0 0 \(width.svg) \(height.svg)" role="img" font-family="system-ui, -apple-system, 'Segoe UI', \
    'Helvetica Neue', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', Arial, sans-serif">
    <title>\(title.escapedForXML)</title>
    <rect width="100%" height="100%" fill="#ffffff"/>
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }

  /// About how wide a text comes out, on the wide side: fonts differ.
  static func width(of text: String, size: Double) -> Double {
    text.reduce(0) { $0 + (DisplayWidth.of($1) > 1 ? 1.02 : $1.isUppercase || $1 == "…" ? 0.76 : 0.58) * size }
  }

  /// The text, or its beginning with …, within a width.
  static func cut(_ text: String, to width: Double, size: Double) -> String {
    guard self.width(of: text, size: size) > width else { return text }
    var text = text
    while !text.isEmpty, self.width(of: text + "…", size: size) > width { text.removeLast() }
    return text + "…"
  }
}

extension Double {
  /// Two digits after the point are finer than a screen.
  var svg: String { NumberText.short(self) }
}

extension String {
  /// For the text and the attributes of XML and HTML.
  var escapedForXML: String {
    var text = ""
    for character in unicodeScalars {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
