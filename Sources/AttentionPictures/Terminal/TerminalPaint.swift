/// Escape sequences for the colours of a style; without colours, the text alone.
struct TerminalPaint {
  let colours: TerminalStyle.Colours
  private let scale = ColourScale.onDark

  /// Text on the colour of a fraction of the scale.
  func cell(_ text: String, _ fraction: Double) -> String {
    guard colours != .none else { return text }
    let colour = scale[fraction]
    return "\u{1B}[\(code(48, colour));\(code(38, colour.takesWhiteText ? RGB(255, 255, 255) : RGB(0, 0, 0)))m\(text)"
      + "\u{1B}[0m"
  }

  /// Text in the middle of the scale, to be read on light and on dark.
  func ink(_ text: String) -> String {
    guard colours != .none else { return text }
    return "\u{1B}[\(code(38, scale[0.5]))m\(text)\u{1B}[0m"
  }

  private func code(_ layer: Int, _ colour: RGB) -> String {
    colours == .full
      ? "\(layer);2;\(colour.red);\(colour.green);\(colour.blue)" : "\(layer);5;\(colour.terminalCube)"
  }
}
