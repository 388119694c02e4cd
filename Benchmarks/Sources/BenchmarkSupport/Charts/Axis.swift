/// One side of a panel: what is measured along it, over which numbers, and which of them are named.
public struct Axis: Sendable {
  let title: String
  let kind: Scale.Kind
  let domain: ClosedRange<Double>
  let ticks: [Double]
  let format: @Sendable (Double) -> String

  /// An axis with its ticks and how their labels read.
  public init(
    title: String, kind: Scale.Kind, domain: ClosedRange<Double>, ticks: [Double],
    format: @escaping @Sendable (Double) -> String
  ) {
    self.title = title
    self.kind = kind
    self.domain = domain
    self.ticks = ticks
    self.format = format
  }

  /// An axis of sequence lengths: a logarithmic scale, named at the lengths measured.
  public static func lengths(_ lengths: [Int]) -> Axis {
    let values = lengths.map(Double.init)
    let (low, high) = (values.min() ?? 1, values.max() ?? 1)
    let margin = low < high ? 1.12 : 2
    return Axis(
      title: "sequence length S", kind: .logarithmic, domain: low / margin...high * margin, ticks: values,
      format: { NumberText.grouped(Int($0)) })
  }

  /// An axis from 0 to a round number at or above `maximum`.
  public static func fromZero(
    title: String, to maximum: Double, format: @escaping @Sendable (Double) -> String
  ) -> Axis {
    let domain = Ticks.widened(0...max(maximum, 1e-9))
    return Axis(title: title, kind: .linear, domain: domain, ticks: Ticks.linear(domain), format: format)
  }
}

extension Axis {
  private static let label = SVG.TextStyle(size: 13, color: Palette.faint)
  private static let titleStyle = SVG.TextStyle(size: 14)

  /// Draws the grid lines, labels and title of an axis below the panel.
  func drawHorizontal(in svg: inout SVG, _ x: Scale, top: Double, bottom: Double) {
    for tick in Ticks.thinned(ticks, on: x, distance: 44) {
      let place = x.position(tick)
      svg.line((place, top), (place, bottom), SVG.Stroke(color: Palette.grid, width: 1))
      svg.line((place, bottom), (place, bottom + 5), SVG.Stroke(color: Palette.axis, width: 1))
      svg.text(format(tick), at: (place, bottom + 21), Axis.label, anchor: .middle)
    }
    svg.line((x.ends.lower, bottom), (x.ends.upper, bottom), SVG.Stroke(color: Palette.axis, width: 1))
    svg.text(title, at: ((x.ends.lower + x.ends.upper) / 2, bottom + 45), Axis.titleStyle, anchor: .middle)
  }

  /// Draws the grid lines and labels of an axis left of the panel. Its title is the panel's business: it reads better
  /// upright above the axis than turned beside it.
  func drawVertical(in svg: inout SVG, _ y: Scale, left: Double, right: Double) {
    for tick in ticks {
      let place = y.position(tick)
      svg.line((left, place), (right, place), SVG.Stroke(color: Palette.grid, width: 1))
      svg.text(format(tick), at: (left - 9, place + 4.5), Axis.label, anchor: .end)
    }
  }
}
