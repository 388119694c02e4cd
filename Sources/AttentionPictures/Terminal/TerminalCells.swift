/// The cells of a heat map made of text.
struct TerminalCells {
  let layout: TerminalLayout
  let range: WeightRange
  let colours: TerminalStyle.Colours

  /// From nothing to all, each a quarter of the scale wide and centred on its multiple.
  private static let shades: [Character] = [" ", "░", "▒", "▓", "█"]
  private static let nonFinite = "╳╳"

  func cell(_ weight: Float) -> String {
    let fraction = range.fraction(weight)
    guard colours != .none else { return plain(weight, fraction) }
    let text = layout.isUpright ? "  " : LabelText.padded(number(weight), to: layout.cellWidth, .centre)
    if let fraction { return TerminalPaint(colours: colours).cell(text, fraction) }
    return layout.isUpright ? Self.nonFinite : text
  }

  private func plain(_ weight: Float, _ fraction: Double?) -> String {
    let shading = fraction.map { String(repeating: Self.shade($0), count: 2) } ?? Self.nonFinite
    if layout.isUpright { return shading }
    return LabelText.padded(shading + " " + number(weight), to: layout.cellWidth - 1, .centre) + " "
  }

  private func number(_ weight: Float) -> String {
    let texts = [2, 1, 0].map { NumberText.fixed(weight, digits: $0) }
    return texts.first { $0.count <= 4 } ?? LabelText.cut(texts[2], to: 4)
  }

  private static func shade(_ fraction: Double) -> Character { shades[Int((fraction * 4).rounded())] }

  /// The scale with the numbers at its ends, below the cells if it fits there.
  var legend: String {
    let bar: String
    if colours == .none {
      bar = "[" + Self.shades.map { "\($0)\($0)" }.joined() + "]"
    } else {
      bar = (0..<12).map { TerminalPaint(colours: colours).cell(" ", Double($0) / 11) }.joined()
    }
    let (low, high) = (NumberText.scaleEnd(range.low), NumberText.scaleEnd(range.high))
    let indent = layout.labelWidth + 1
    let fits = indent + low.count + high.count + 14 <= layout.width
    return String(repeating: " ", count: fits ? indent : 0) + "\(low) \(bar) \(high)"
  }

  /// What marks cells that have no place on the scale.
  var remarkOnNonFinite: String {
    layout.isUpright || colours == .none ? "\(Self.nonFinite) not finite" : "without colour: not finite"
  }
}
