/// The names of the lines, in columns below the panels.
struct Legend {
  private static let size = 13.5
  private static let sample = 40.0
  private static let rowHeight = 23.0

  let entries: [(label: String, style: Series.Style)]
  let width: Double

  private var columnWidth: Double {
    Legend.sample + 30 + (entries.map { SVG.width(of: $0.label, size: Legend.size) }.max() ?? 0)
  }

  /// Entries fill columns downwards, so rows are balanced first.
  private var rows: Int {
    let columns = max(1, Int(width / columnWidth))
    return (entries.count + columns - 1) / columns
  }

  var height: Double { entries.isEmpty ? 0 : Double(rows) * Legend.rowHeight + 8 }

  func draw(in svg: inout SVG, left: Double, top: Double) {
    for (index, entry) in entries.enumerated() {
      let x = left + Double(index / rows) * columnWidth
      let y = top + (Double(index % rows) + 0.5) * Legend.rowHeight
      svg.line(
        (x, y), (x + Legend.sample, y), SVG.Stroke(color: entry.style.color, width: 2.2, dash: entry.style.dash))
      entry.style.drawMarker(in: &svg, at: (x + Legend.sample / 2, y))
      svg.text(entry.label, at: (x + Legend.sample + 9, y + 4.5), SVG.TextStyle(size: Legend.size))
    }
  }
}
