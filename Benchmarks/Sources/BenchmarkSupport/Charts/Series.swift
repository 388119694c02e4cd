/// One line of a chart.
public struct Series: Sendable {
  /// A measurement, with the spread to show around it where there is one.
  public struct Point: Sendable {
    let x, y: Double
    let spread: ClosedRange<Double>?

    /// A point at (x, y).
    public init(x: Double, y: Double, spread: ClosedRange<Double>? = nil) {
      self.x = x
      self.y = y
      self.spread = spread
    }
  }

  /// What tells a line from the others.
  public struct Style: Sendable {
    let color: String
    let dash: String?
    let isHollow: Bool

    /// A colour, dashes (nil = solid), and markers that are filled or hollow.
    public init(color: String, dash: String? = nil, isHollow: Bool = false) {
      self.color = color
      self.dash = dash
      self.isHollow = isHollow
    }
  }

  let label: String
  let style: Style
  let points: [Point]

  /// A line through points in the order of x.
  public init(label: String, style: Style, points: [Point]) {
    self.label = label
    self.style = style
    self.points = points.sorted { $0.x < $1.x }
  }
}

extension Series {
  /// The point farthest right; there must be one.
  var last: Point { points[points.count - 1] }

  func draw(in svg: inout SVG, x: Scale, y: Scale) {
    let places = points.map { (x: x.position($0.x), y: y.position($0.y)) }
    let thin = SVG.Stroke(color: style.color, width: 1.2, opacity: 0.6)
    for (point, place) in zip(points, places) {
      guard let spread = point.spread else { continue }
      // Cut at the end of the axis: one disturbed sample must not flatten all lines.
      let (low, high) = (y.position(y.clamped(spread.lowerBound)), y.position(y.clamped(spread.upperBound)))
      svg.line((place.x, low), (place.x, high), thin)
      svg.line((place.x - 3, low), (place.x + 3, low), thin)
      svg.line((place.x - 3, high), (place.x + 3, high), thin)
    }
    if places.count > 1 {
      svg.polyline(places, SVG.Stroke(color: style.color, width: 2.2, dash: style.dash))
    }
    for place in places { style.drawMarker(in: &svg, at: place) }
  }
}

extension Series.Style {
  func drawMarker(in svg: inout SVG, at place: (x: Double, y: Double)) {
    svg.circle(
      place, radius: 3.6, fill: isHollow ? Palette.paper : color, SVG.Stroke(color: color, width: isHollow ? 2 : 1))
  }
}
