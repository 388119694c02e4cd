/// Lines over a common axis as an SVG file: learning curves.
///
/// ```swift
/// let chart = LineChart(
///   [.init("training", points: [(1, 4.2), (2, 3.1)]), .init("validation", points: [(1, 3.9), (2, 3.3)])],
///   title: "Loss", xLabel: "epoch", yLabel: "nats per token")
/// let svg = chart.svg()
/// ```
public struct LineChart: Sendable, Equatable {
  /// Points joined by a line.
  public struct Series: Sendable, Equatable {
    /// What the legend calls it.
    public let name: String
    /// The horizontal coordinates, in order.
    public let x: [Double]
    /// The vertical ones. Where one is not finite the line is broken.
    public let y: [Double]

    /// A line through points (x, y).
    public init(_ name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      x = points.map(\.x)
      y = points.map(\.y)
    }
  }

  /// The lines; at most ``mostSeries`` are told apart by colour and dashes.
  public let series: [Series]
  /// What stands above.
  public var title: String
  /// What the horizontal axis counts.
  public var xLabel: String
  /// What the vertical axis measures.
  public var yLabel: String

  /// The most lines of one chart.
  public static let mostSeries = 4
  /// Dark enough for white paper, apart for the colour-blind (Okabe, Ito 2008), and dashed for those without colour.
  private static let strokes = [("#0072b2", ""), ("#d55e00", "7 4"), ("#009e73", "2 3"), ("#6a3d9a", "9 3 2 3")]

  /// A chart. Stops when there are more than ``mostSeries`` lines.
  public init(_ series: [Series], title: String, xLabel: String, yLabel: String) {
    require(
      series.count <= Self.mostSeries, "LineChart: expected at most \(Self.mostSeries) lines, got \(series.count)")
    self.series = series
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
  }

  /// The chart as an SVG file that needs nothing else.
  public func svg() -> String {
    let (left, top, width, height) = (64.0, 76.0, 600.0, 320.0)
    let points = series.flatMap { zip($0.x, $0.y).filter { $0.isFinite && $1.isFinite } }
    let horizontal = ChartAxis(points.map(\.0), isWhole: true)
    let vertical = ChartAxis(points.map(\.1), isWhole: false)
    func x(_ value: Double) -> Double { left + horizontal.fraction(value) * width }
    func y(_ value: Double) -> Double { top + (1 - vertical.fraction(value)) * height }

    var drawing = SVGDrawing()
    drawing.text(
      SVGDrawing.cut(LabelText.printable(title), to: width, size: 15), x: 16, y: 28, size: 15, isBold: true,
      whole: LabelText.printable(title))
    for tick in vertical.ticks {
      drawing.line(from: (left, y(tick)), to: (left + width, y(tick)), stroke: "#dddddd")
      drawing.text(NumberText.short(tick, digits: 4), x: left - 8, y: y(tick) + 4, size: 12, anchor: .end)
    }
    for tick in horizontal.ticks {
      drawing.line(from: (x(tick), top + height), to: (x(tick), top + height + 5), stroke: "#8a8a8a")
      drawing.text(NumberText.short(tick, digits: 4), x: x(tick), y: top + height + 19, size: 12, anchor: .middle)
    }
    drawing.line(from: (left, top + height), to: (left + width, top + height), stroke: "#8a8a8a")
    drawing.text(
      LabelText.printable(xLabel), x: left + width, y: top + height + 38, size: 12, fill: SVGDrawing.faint, anchor: .end
    )
    drawing.text(LabelText.printable(yLabel), x: 16, y: top - 14, size: 12, fill: SVGDrawing.faint)
    var legend = left + width
    for (line, stroke) in zip(series, Self.strokes).reversed() {
      let name = SVGDrawing.cut(LabelText.printable(line.name), to: 110, size: 12)
      drawing.text(name, x: legend, y: top - 14, size: 12, anchor: .end)
      legend -= SVGDrawing.width(of: name, size: 12) + 6
      drawing.line(from: (legend - 26, top - 18), to: (legend, top - 18), stroke: stroke.0, dashes: stroke.1, width: 2)
      legend -= 42
    }
    for (line, stroke) in zip(series, Self.strokes) {
      for run in line.runs {
        drawing.path(run.map { (x($0.x), y($0.y)) }, stroke: stroke.0, dashes: stroke.1)
        for point in run where line.x.count <= 100 {
          let tooltip =
            "\(line.name), \(xLabel) \(NumberText.short(point.x)): \(NumberText.short(point.y, digits: 4))"
          drawing.dot(x(point.x), y(point.y), fill: stroke.0, tooltip: LabelText.printable(tooltip))
        }
      }
    }
    return drawing.document(width: left + width + 24, height: top + height + 52, title: LabelText.printable(title))
  }
}

extension LineChart.Series {
  /// The points without those that are not finite, divided there.
  fileprivate var runs: [[(x: Double, y: Double)]] {
    zip(x, y).map { (x: $0, y: $1) }.split { !$0.x.isFinite || !$0.y.isFinite }.map(Array.init)
  }
}

extension SVGDrawing {
  fileprivate mutating func line(
    from start: (Double, Double), to end: (Double, Double), stroke: String, dashes: String = "", width: Double = 1
  ) {
    path([start, end], stroke: stroke, dashes: dashes, width: width)
  }

  fileprivate mutating func path(
    _ points: [(Double, Double)], stroke: String, dashes: String, width: Double = 2
  ) {
    let text = points.map { "\($0.0.svg),\($0.1.svg)" }.joined(separator: " ")
    let pattern = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
    add("<polyline points=\"\(text)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"\(width.svg)\"\(pattern)/>")
  }

  fileprivate mutating func dot(_ x: Double, _ y: Double, fill: String, tooltip: String) {
    add(
      "<circle cx=\"\(x.svg)\" cy=\"\(y.svg)\" r=\"3\" fill=\"\(fill)\">"
        + "<title>\(tooltip.escapedForXML)</title></circle>"
    )
  }
}
