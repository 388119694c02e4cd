extension WeightMatrix {
  /// The most keys that ``svgBars(query:)`` draws.
  public static let mostSVGBars = 5_000

  /// The weights of one query as an SVG file that needs nothing else: a bar from 0 for each key, its label and number.
  ///
  /// The largest weight has the longest bar; weights below 0 have no bar, what is not finite is hatched. Stops when
  /// there is no such query or more than ``mostSVGBars`` keys.
  public func svgBars(query: Int) -> String {
    guard !isEmpty else { return emptySVG }
    require(0..<queries ~= query, "WeightMatrix: there is no query \(query), only 0 to \(queries - 1)")
    require(
      keys <= Self.mostSVGBars,
      "WeightMatrix: \(keys) keys are too many for bars of at most \(Self.mostSVGBars); take a part(queries:keys:)")
    let (size, row, longest, margin) = (13.0, 24.0, 360.0, SVGHeatMapLayout.margin)
    let limit = SVGHeatMapLayout.longestLabel
    let labels = keyLabels.map { SVGDrawing.cut(LabelText.printable($0), to: limit, size: size) }
    let weights = (0..<keys).map { self[query, $0] }
    let largest = weights.reduce(Float(0)) { $1.isFinite ? max($0, $1) : $0 }
    let left = (margin + labels.reduce(0) { max($0, SVGDrawing.width(of: $1, size: size)) } + 8).rounded(.up)
    let width = left + longest + 90
    let name = "query \(LabelText.printable(queryLabels[query]))"
    let headings = (title.map { [LabelText.printable($0)] } ?? []) + [name]

    var drawing = SVGDrawing()
    if weights.contains(where: { !$0.isFinite }) { drawing.add(Self.hatching) }
    for (index, heading) in headings.enumerated() {
      let size = index == 0 ? SVGHeatMapLayout.titleSize : size
      drawing.text(
        SVGDrawing.cut(heading, to: (width - 2 * margin) / 1.05, size: size), x: margin, y: 30 + Double(index) * 22,
        size: size, fill: index == 0 ? SVGDrawing.ink : SVGDrawing.faint, isBold: index == 0, whole: heading)
    }
    let top = 30 + Double(headings.count - 1) * 22 + 14
    for key in 0..<keys {
      let y = top + Double(key) * row
      let whole = LabelText.printable(keyLabels[key])
      let number = NumberText.fixed(weights[key], digits: 4)
      drawing.text(labels[key], x: left - 8, y: y + 16, size: size, anchor: .end, whole: whole)
      let isFinite = weights[key].isFinite
      let fraction = isFinite && largest > 0 ? Double(max(weights[key], 0) / largest) : 0
      drawing.rectangle(
        x: left, y: y + 3, width: isFinite ? fraction * longest : 40, height: row - 6,
        fill: isFinite ? ColourScale.onLight[0.25 + 0.5 * fraction].hex : "url(#hatch)", tooltip: "\(whole): \(number)")
      drawing.text(number, x: left + (isFinite ? fraction * longest : 40) + 6, y: y + 16, size: 12)
    }
    drawing.add(
      "<line x1=\"\(left.svg)\" y1=\"\(top.svg)\" x2=\"\(left.svg)\" y2=\"\((top + Double(keys) * row).svg)\" "
        + "stroke=\"#8a8a8a\"/>")
    return drawing.document(
      width: width, height: top + Double(keys) * row + margin, title: headings.joined(separator: ", "))
  }
}
