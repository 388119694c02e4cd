extension WeightMatrix {
  /// A heat map of text: a row a query, a column a key, stronger weights brighter (with colours) or denser (without).
  ///
  /// Labels are cut to fit; where they are too wide to stand side by side they stand upright, one character a line, and
  /// the numbers are left out. Keys that do not fit into the width are not drawn, and a line says how many.
  ///
  /// - Parameters:
  ///   - style: Width, rows and colours.
  ///   - range: What the ends of the scale stand for; nil = from 0, or the least weight below it, to the largest.
  /// - Returns: Lines, each with its line break.
  public func terminalHeatMap(style: TerminalStyle = TerminalStyle(), range: ClosedRange<Float>? = nil) -> String {
    let heading = title.map { [LabelText.cut(LabelText.printable($0), to: max(style.width, 24))] } ?? []
    guard !isEmpty else { return lines(heading + [emptyRemark]) }
    let labels = (queries: queryLabels.map(LabelText.printable), keys: keyLabels.map(LabelText.printable))
    let layout = TerminalLayout(self, queryLabels: labels.queries, keyLabels: labels.keys, style: style)
    let cells = TerminalCells(layout: layout, range: WeightRange(range, of: self), colours: style.colours)
    let margin = String(repeating: " ", count: layout.labelWidth + 1)
    let header = TerminalHeader(labels.keys.prefix(layout.keys).map { $0 }, layout: layout).lines.map { margin + $0 }
    let rows = (0..<layout.queries).map { query in
      LabelText.padded(labels.queries[query], to: layout.labelWidth, .right) + " "
        + (0..<layout.keys).map { cells.cell(self[query, $0]) }.joined()
    }
    let nonFinite = scalars.contains { !$0.isFinite } ? [cells.remarkOnNonFinite] : []
    return lines(heading + header + rows + [cells.legend] + nonFinite + layout.remarks(of: self))
  }

  /// What stands in place of a picture of nothing.
  var emptyRemark: String { "nothing to draw: \(queries) queries × \(keys) keys" }
}

/// Joined, without spaces at their ends.
func lines(_ lines: [String]) -> String {
  lines.map { line in
    var line = Substring(line)
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }.joined()
}

/// The labels of the keys above their cells.
struct TerminalHeader {
  let lines: [String]

  init(_ labels: [String], layout: TerminalLayout) {
    guard layout.isUpright else {
      lines = [labels.map { LabelText.padded($0, to: layout.cellWidth - 1, .centre) + " " }.joined()]
      return
    }
    // One character a line, the last above the cell.
    let limit = TerminalLayout.tallestKeyLabel
    let columns = labels.map { label in
      label.count > limit ? Array(label.prefix(limit - 1)) + ["…"] : Array(label)
    }
    let height = columns.reduce(0) { max($0, $1.count) }
    lines = (0..<height).map { line in
      columns.map { characters in
        let index = line - (height - characters.count)
        return LabelText.padded(index < 0 ? "" : String(characters[index]), to: 2, .left)
      }.joined()
    }
  }
}
