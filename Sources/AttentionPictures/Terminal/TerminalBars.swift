extension WeightMatrix {
  /// The weights of one query as bars of text: the key's label, a bar from 0 in eighths of a column, the number.
  ///
  /// The largest weight takes the whole width; weights below 0 and what is not finite have a number and no bar.
  ///
  /// - Parameters:
  ///   - query: The row, from 0.
  ///   - style: Width, rows and colours.
  /// - Returns: Lines, each with its line break.
  public func terminalBars(query: Int, style: TerminalStyle = TerminalStyle()) -> String {
    let width = max(style.width, 24)
    let heading = title.map { [LabelText.cut(LabelText.printable($0), to: width)] } ?? []
    guard !isEmpty else { return lines(heading + [emptyRemark]) }
    require(0..<queries ~= query, "WeightMatrix: there is no query \(query), only 0 to \(queries - 1)")
    let name = LabelText.cut("query \(LabelText.printable(queryLabels[query]))", to: width)
    let weights = (0..<keys).map { self[query, $0] }
    let numbers = weights.map { NumberText.fixed($0, digits: 4) }
    let labels = keyLabels.map(LabelText.printable)
    let labelWidth = min(labels.reduce(0) { max($0, DisplayWidth.of($1)) }, width / 3)
    let numberWidth = numbers.reduce(0) { max($0, $1.count) }
    let room = max(width - labelWidth - numberWidth - 3, 1)
    let longest = weights.reduce(Float(0)) { $1.isFinite ? max($0, $1) : $0 }
    let shown = min(keys, max(style.rows ?? keys, 1))
    let paint = TerminalPaint(colours: style.colours)
    let rows = (0..<shown).map { key in
      let bar = longest > 0 && weights[key].isFinite ? Self.bar(Double(weights[key] / longest), room) : ""
      return LabelText.padded(labels[key], to: labelWidth, .right) + " ▏"
        + paint.ink(LabelText.padded(bar, to: room, .left))
        + LabelText.padded(numbers[key], to: numberWidth + 1, .right)
    }
    let remark = shown < keys ? ["the first \(shown) of \(keys) keys; \(keys - shown) are left out"] : []
    return lines(heading + [name] + rows + remark)
  }

  /// Blocks that cover a fraction of `room` columns, rounded to eighths.
  private static func bar(_ fraction: Double, _ room: Int) -> String {
    let eighths = max(Int((fraction * Double(room) * 8).rounded()), 0)
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}
