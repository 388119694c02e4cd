extension WeightMatrix {
  /// The most weights that ``svgHeatMap(range:)`` draws: each is an element, and browsers open some 30 MB of them.
  public static let largestSVG = 250_000

  /// A heat map as an SVG file that needs nothing else: cells with their numbers where they fit, labels, a colour bar,
  /// and under the pointer query, key and weight. White paper, legible in print and without colour.
  ///
  /// What is not finite is hatched. Stops when there are more than ``largestSVG`` weights.
  ///
  /// - Parameter range: What the ends of the scale stand for; nil = from 0, or the least weight below it, to the
  ///   largest.
  public func svgHeatMap(range: ClosedRange<Float>? = nil) -> String {
    require(
      scalars.count <= Self.largestSVG,
      "WeightMatrix: \(queries) × \(keys) weights are too many for an SVG of at most \(Self.largestSVG); "
        + "take a part(queries:keys:)")
    guard !isEmpty else { return emptySVG }
    let heading = title.map { SVGDrawing.cut(LabelText.printable($0), to: 900, size: SVGHeatMapLayout.titleSize) }
    let layout = SVGHeatMapLayout(self, title: heading)
    let range = WeightRange(range, of: self)
    var drawing = SVGDrawing()
    if let heading {
      drawing.text(heading, x: SVGHeatMapLayout.margin, y: 30, size: SVGHeatMapLayout.titleSize, isBold: true)
    }
    if scalars.contains(where: { !$0.isFinite }) { drawing.add(Self.hatching) }
    drawCells(&drawing, layout, range)
    drawLabels(&drawing, layout)
    drawScale(&drawing, layout, range)
    return drawing.document(
      width: layout.width, height: layout.height, title: LabelText.printable(title ?? "Attention weights"))
  }

  var emptySVG: String {
    var drawing = SVGDrawing()
    drawing.text(emptyRemark, x: 16, y: 34, size: 13)
    return drawing.document(
      width: 32 + SVGDrawing.width(of: emptyRemark, size: 13), height: 56,
      title: LabelText.printable(title ?? "Attention weights"))
  }

  static let hatching = """
    <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
    <rect width="6" height="6" fill="#ffffff"/><rect width="2" height="6" fill="#b3261e"/></pattern></defs>
    """

  private func drawCells(_ drawing: inout SVGDrawing, _ layout: SVGHeatMapLayout, _ range: WeightRange) {
    let (side, size) = (layout.cell, layout.cell * 0.3)
    let labels = (queries: queryLabels.map(LabelText.printable), keys: keyLabels.map(LabelText.printable))
    // A hairline of paper between large cells; small ones touch.
    let gap = side >= 12 ? 1.0 : 0
    // Crisp edges keep the paper from shining through between cells that touch.
    drawing.add("<g\(gap == 0 ? " shape-rendering=\"crispEdges\"" : "")>")
    for query in 0..<queries {
      let y = layout.top + Double(query) * side
      for key in 0..<keys {
        let (x, weight) = (layout.left + Double(key) * side, self[query, key])
        let colour = range.fraction(weight).map { ColourScale.onLight[$0] }
        drawing.rectangle(
          x: x, y: y, width: side - gap, height: side - gap, fill: colour?.hex ?? "url(#hatch)",
          tooltip: "\(labels.queries[query]) → \(labels.keys[key]): \(NumberText.fixed(weight, digits: 4))")
        let number = NumberText.fixed(weight, digits: 2)
        guard layout.hasNumbers, SVGDrawing.width(of: number, size: size) <= side - gap else { continue }
        if colour == nil {
          drawing.rectangle(x: x + 4, y: y + side / 2 - 8, width: side - gap - 8, height: 15, fill: "#ffffff")
        }
        drawing.add(
          "<text x=\"\((x + (side - gap) / 2).svg)\" y=\"\((y + side / 2 + size * 0.33).svg)\" "
            + "font-size=\"\(size.svg)\" text-anchor=\"middle\" pointer-events=\"none\" "
            + "fill=\"\(colour?.takesWhiteText == true ? "#ffffff" : "#000000")\">\(number)</text>")
      }
    }
    drawing.add("</g>")
    drawing.add(
      "<rect x=\"\((layout.left - 0.5).svg)\" y=\"\((layout.top - 0.5).svg)\" "
        + "width=\"\((Double(keys) * side - gap + 1).svg)\" height=\"\((Double(queries) * side - gap + 1).svg)\" "
        + "fill=\"none\" stroke=\"#b8b8b8\"/>")
  }

  private func drawLabels(_ drawing: inout SVGDrawing, _ layout: SVGHeatMapLayout) {
    let (side, size) = (layout.cell, layout.fontSize)
    for query in stride(from: 0, to: queries, by: layout.labelStep) {
      drawing.text(
        layout.queryLabels[query], x: layout.left - 6, y: layout.top + (Double(query) + 0.5) * side + size * 0.35,
        size: size, anchor: .end, whole: LabelText.printable(queryLabels[query]))
    }
    for key in stride(from: 0, to: keys, by: layout.labelStep) {
      let middle = layout.left + (Double(key) + 0.5) * side
      drawing.text(
        layout.keyLabels[key], x: layout.angle == 0 ? middle : middle + size * 0.35, y: layout.top - 6, size: size,
        anchor: layout.angle == 0 ? .middle : .start, angle: layout.angle, whole: LabelText.printable(keyLabels[key]))
    }
    let above = SVGHeatMapLayout.margin + (title == nil ? 0 : SVGHeatMapLayout.titleSize + 12) + 11
    drawing.text("keys →", x: layout.left, y: above, size: 11, fill: SVGDrawing.faint)
    drawing.text(
      "← queries", x: SVGHeatMapLayout.margin + 10, y: layout.top, size: 11, fill: SVGDrawing.faint, anchor: .end,
      angle: -90)
  }

  /// The colours of the scale with the numbers at its ends and in its middle.
  private func drawScale(_ drawing: inout SVGDrawing, _ layout: SVGHeatMapLayout, _ range: WeightRange) {
    let (steps, width) = (40, SVGHeatMapLayout.barWidth)
    drawing.add("<g shape-rendering=\"crispEdges\">")
    for step in 0..<steps {
      drawing.rectangle(
        x: layout.left + Double(step) * width / Double(steps), y: layout.barTop, width: width / Double(steps),
        height: 12, fill: ColourScale.onLight[Double(step) / Double(steps - 1)].hex)
    }
    drawing.add("</g>")
    drawing.add(
      "<rect x=\"\((layout.left - 0.5).svg)\" y=\"\((layout.barTop - 0.5).svg)\" width=\"\((width + 1).svg)\" "
        + "height=\"13\" fill=\"none\" stroke=\"#b8b8b8\"/>")
    for (fraction, anchor) in [(0.0, SVGDrawing.Anchor.start), (0.5, .middle), (1, .end)] {
      drawing.text(
        NumberText.scaleEnd(range.low + fraction * (range.high - range.low)), x: layout.left + fraction * width,
        y: layout.barTop + 26, size: 11, fill: SVGDrawing.faint, anchor: anchor)
    }
    drawing.text("weight", x: layout.left + width + 8, y: layout.barTop + 10, size: 11, fill: SVGDrawing.faint)
    guard scalars.contains(where: { !$0.isFinite }) else { return }
    drawing.rectangle(x: layout.left + width + 52, y: layout.barTop, width: 12, height: 12, fill: "url(#hatch)")
    drawing.text("not finite", x: layout.left + width + 68, y: layout.barTop + 10, size: 11, fill: SVGDrawing.faint)
  }
}
