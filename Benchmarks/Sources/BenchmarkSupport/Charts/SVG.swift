/// Elements of an SVG drawing, one after the other.
public struct SVG: Sendable {
  /// Where a text stands in relation to its point.
  public enum Anchor: String, Sendable { case start, middle, end }

  /// Font size, colour and weight of a text.
  public struct TextStyle: Sendable {
    var size: Double
    var color: String
    var isBold = false

    /// A style; the font family is that of the drawing.
    public init(size: Double, color: String = Palette.ink, isBold: Bool = false) {
      self.size = size
      self.color = color
      self.isBold = isBold
    }
  }

  /// Colour, width and dashes of a line.
  public struct Stroke: Sendable {
    var color: String
    var width: Double
    var dash: String?
    var opacity = 1.0

    /// A solid stroke unless `dash` gives the lengths of dashes and gaps.
    public init(color: String, width: Double, dash: String? = nil, opacity: Double = 1) {
      self.color = color
      self.width = width
      self.dash = dash
      self.opacity = opacity
    }
  }

  private let width, height: Double
  private var elements: [String] = []

  /// An empty drawing on a light background.
  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
    elements.append("<rect width=\"100%\" height=\"100%\" fill=\"\(Palette.paper)\"/>")
  }

  /// A straight line.
  public mutating func line(_ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ stroke: Stroke) {
    elements.append(
      "<line x1=\"\(a.x.text)\" y1=\"\(a.y.text)\" x2=\"\(b.x.text)\" y2=\"\(b.y.text)\" \(stroke.attributes)/>")
  }

  /// A line through points.
  public mutating func polyline(_ points: [(x: Double, y: Double)], _ stroke: Stroke) {
    let list = points.map { "\($0.x.text),\($0.y.text)" }.joined(separator: " ")
    elements.append("<polyline points=\"\(list)\" fill=\"none\" stroke-linejoin=\"round\" \(stroke.attributes)/>")
  }

  /// A circle with an outline.
  public mutating func circle(_ center: (x: Double, y: Double), radius: Double, fill: String, _ stroke: Stroke) {
    elements.append(
      "<circle cx=\"\(center.x.text)\" cy=\"\(center.y.text)\" r=\"\(radius.text)\" fill=\"\(fill.escaped)\" "
        + "\(stroke.attributes)/>")
  }

  /// A text whose baseline starts, is centred or ends at a point; `angle` turns it around the point, clockwise.
  public mutating func text(
    _ string: String, at point: (x: Double, y: Double), _ style: TextStyle, anchor: Anchor = .start,
    angle: Double = 0
  ) {
    let weight = style.isBold ? " font-weight=\"600\"" : ""
    let turn = angle == 0 ? "" : " transform=\"rotate(\(angle.text) \(point.x.text) \(point.y.text))\""
    elements.append(
      "<text x=\"\(point.x.text)\" y=\"\(point.y.text)\" font-size=\"\(style.size.text)\" "
        + "fill=\"\(style.color.escaped)\" text-anchor=\"\(anchor.rawValue)\"\(weight)\(turn)>\(string.escaped)</text>")
  }

  /// The whole file.
  public var document: String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width.text)" height="\(height.text)" \
    viewBox="0 0 \(width.text) \(height.text)" font-family="Helvetica Neue, Helvetica, Arial, Liberation Sans, \
    DejaVu Sans, sans-serif">
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }

  /// About how wide a text comes out: fonts differ, so this is on the wide side.
  public static func width(of text: String, size: Double) -> Double { 0.56 * size * Double(text.count) }
}

extension SVG.Stroke {
  fileprivate var attributes: String {
    var text = "stroke=\"\(color.escaped)\" stroke-width=\"\(width.text)\""
    if let dash { text += " stroke-dasharray=\"\(dash.escaped)\"" }
    if opacity < 1 { text += " stroke-opacity=\"\(opacity.text)\"" }
    return text
  }
}

extension Double {
  /// Two digits after the point are finer than a screen.
  fileprivate var text: String {
    let text = NumberText.fixed(self, digits: 2)
    return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
  }
}

extension String {
  fileprivate var escaped: String {
    var text = ""
    for character in self {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      default: text.append(character)
      }
    }
    return text
  }
}
