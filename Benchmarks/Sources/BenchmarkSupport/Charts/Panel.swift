/// One pair of axes with the lines between them.
public struct Panel: Sendable {
  /// A line to measure others by: a limit, or a law of growth.
  public struct Guide: Sendable {
    let label: String
    let from, to: (x: Double, y: Double)

    /// A thin line between two points, with its label above its right end.
    public init(label: String, from: (x: Double, y: Double), to: (x: Double, y: Double)) {
      self.label = label
      self.from = from
      self.to = to
    }
  }

  let title: String
  let x, y: Axis
  let series: [Series]
  let guides: [Guide]
  let hasDirectLabels: Bool

  /// A panel. With `hasDirectLabels` each line is named at its last point, which suits a few lines; otherwise the
  /// figure's legend names them.
  public init(title: String, x: Axis, y: Axis, series: [Series], guides: [Guide] = [], hasDirectLabels: Bool = false) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series.filter { !$0.points.isEmpty }
    self.guides = guides
    self.hasDirectLabels = hasDirectLabels
  }
}

/// A part of the drawing.
struct Frame {
  var left, top, right, bottom: Double
}

extension Panel {
  private static let labelSize = 14.0

  /// Draws the panel into `frame`, titles and tick labels included.
  func draw(in svg: inout SVG, _ frame: Frame) {
    let outside = labelsOutside
    let labelWidth = outside.map { SVG.width(of: $0.label, size: Panel.labelSize) + 8 }.max() ?? 0
    let tickWidth = y.ticks.map { SVG.width(of: y.format($0), size: 13) }.max() ?? 0
    let left = frame.left + tickWidth + 12
    let right = frame.right - labelWidth - 6
    let top = frame.top + 58
    let bottom = frame.bottom - 54
    let xScale = Scale(x.kind, domain: x.domain, from: left, to: right)
    let yScale = Scale(y.kind, domain: y.domain, from: bottom, to: top)

    svg.text(title, at: (frame.left, frame.top + 16), SVG.TextStyle(size: 16, isBold: true))
    svg.text(y.title, at: (frame.left, frame.top + 38), SVG.TextStyle(size: 13, color: Palette.faint))
    y.drawVertical(in: &svg, yScale, left: left, right: right)
    x.drawHorizontal(in: &svg, xScale, top: top, bottom: bottom)
    for guide in guides { draw(guide, in: &svg, xScale, yScale) }
    for line in series { line.draw(in: &svg, x: xScale, y: yScale) }
    if hasDirectLabels { drawLabels(outside: outside, in: &svg, xScale, yScale) }
  }

  /// The lines that reach the last tick: their names stand right of the panel. The others' stand inside, above their
  /// end.
  private var labelsOutside: [Series] {
    guard hasDirectLabels, let last = x.ticks.max() else { return [] }
    return series.filter { $0.last.x >= last }
  }

  private func draw(_ guide: Guide, in svg: inout SVG, _ x: Scale, _ y: Scale) {
    let from = (x: x.position(guide.from.x), y: y.position(guide.from.y))
    let to = (x: x.position(guide.to.x), y: y.position(guide.to.y))
    svg.line(from, to, SVG.Stroke(color: Palette.axis, width: 1.4, dash: "4 4"))
    svg.text(
      guide.label, at: (to.x - 4, to.y - 8), SVG.TextStyle(size: 13, color: Palette.faint), anchor: .end)
  }

  private func drawLabels(outside: [Series], in svg: inout SVG, _ x: Scale, _ y: Scale) {
    let heights = separated(outside.map { y.position($0.last.y) }, by: Panel.labelSize + 4)
    for (line, height) in zip(outside, heights) {
      svg.text(line.label, at: (x.position(line.last.x) + 11, height + 5), Panel.labelStyle(line))
    }
    for line in series where !outside.contains(where: { $0.label == line.label }) {
      svg.text(
        line.label, at: (x.position(line.last.x) - 4, y.position(line.last.y) - 14), Panel.labelStyle(line),
        anchor: .end)
    }
  }

  private static func labelStyle(_ line: Series) -> SVG.TextStyle {
    SVG.TextStyle(size: labelSize, color: line.style.color, isBold: true)
  }
}
