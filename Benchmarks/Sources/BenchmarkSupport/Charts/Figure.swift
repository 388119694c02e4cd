/// A page with a title and panels side by side.
public struct Figure: Sendable {
  private static let margin = 36.0

  let title: String
  let subtitles: [String]
  let panels: [Panel]
  let notes: [String]
  let width, height: Double

  /// A figure. Lines of panels without direct labels share one legend; lines of the same label share their entry.
  public init(
    title: String, subtitles: [String], panels: [Panel], notes: [String] = [], width: Double = 1200,
    height: Double = 760
  ) {
    self.title = title
    self.subtitles = subtitles
    self.panels = panels
    self.notes = notes
    self.width = width
    self.height = height
  }

  /// The drawing as the text of an SVG file.
  public var svg: String {
    var svg = SVG(width: width, height: height)
    let (left, right) = (Figure.margin, width - Figure.margin)
    svg.text(title, at: (left, 50), SVG.TextStyle(size: 24, isBold: true))
    for (index, line) in subtitles.enumerated() {
      svg.text(line, at: (left, 76 + 20 * Double(index)), SVG.TextStyle(size: 14, color: Palette.faint))
    }
    let legend = Legend(entries: legendEntries, width: right - left)
    let notesTop = height - 18 - 18 * Double(notes.count)
    let legendTop = notesTop - legend.height
    drawPanels(
      in: &svg, Frame(left: left, top: 86 + 20 * Double(subtitles.count), right: right, bottom: legendTop - 8))
    legend.draw(in: &svg, left: left, top: legendTop)
    for (index, note) in notes.enumerated() {
      svg.text(
        note, at: (left, notesTop + 14 + 18 * Double(index)), SVG.TextStyle(size: 12.5, color: Palette.faint))
    }
    return svg.document
  }

  private var legendEntries: [(label: String, style: Series.Style)] {
    var entries: [(label: String, style: Series.Style)] = []
    for series in panels.filter({ !$0.hasDirectLabels }).flatMap(\.series)
    where !entries.contains(where: { $0.label == series.label }) {
      entries.append((series.label, series.style))
    }
    return entries
  }

  private func drawPanels(in svg: inout SVG, _ frame: Frame) {
    let gap = 44.0
    let panelWidth = (frame.right - frame.left - gap * Double(panels.count - 1)) / Double(max(panels.count, 1))
    for (index, panel) in panels.enumerated() {
      let left = frame.left + Double(index) * (panelWidth + gap)
      panel.draw(
        in: &svg, Frame(left: left, top: frame.top, right: left + panelWidth, bottom: frame.bottom))
    }
  }
}
