import Testing

@testable import AttentionPictures

@Suite struct TerminalHeatMapTests {
  static let sentence = WeightMatrix(
    [0.7, 0.2, 0.1, 0.15, 0.35, 0.5, 0.05, 0.3, 0.65], queries: 3, keys: 3, queryLabels: ["我", "爱", "中国"],
    keyLabels: ["我", "爱", "中国"], title: "我爱中国")

  /// Shades are the nearest quarters of the largest weight.
  @Test func plain() {
    #expect(
      Self.sentence.terminalHeatMap() == """
        我爱中国
               我      爱     中国
          我 ██ 0.70 ░░ 0.20 ░░ 0.10
          爱 ░░ 0.15 ▒▒ 0.35 ▓▓ 0.50
        中国    0.05 ▒▒ 0.30 ██ 0.65
             0 [  ░░▒▒▓▓██] 0.7

        """)
  }

  /// Too narrow for numbers: labels stand upright, a wide character above each cell of two columns.
  @Test func upright() {
    #expect(
      Self.sentence.terminalHeatMap(style: TerminalStyle(width: 24)) == """
        我爱中国
                 中
             我爱国
          我 ██░░░░
          爱 ░░▒▒▓▓
        中国   ▒▒██
             0 [  ░░▒▒▓▓██] 0.7

        """)
  }

  @Test func range() {
    let lines = Self.sentence.terminalHeatMap(range: 0...1).split(separator: "\n")
    #expect(lines[2] == "  我 ▓▓ 0.70 ░░ 0.20    0.10")
    #expect(lines[5] == "     0 [  ░░▒▒▓▓██] 1")
  }

  /// Sequences are closed, colours are those of the scale, and without them the text remains.
  @Test(arguments: [TerminalStyle.Colours.cube, .full])
  func colours(colours: TerminalStyle.Colours) throws {
    let text = WeightMatrix([0, 1], queries: 1, keys: 2).terminalHeatMap(style: TerminalStyle(colours: colours))
    let lines = text.split(separator: "\n")
    let (weak, strong) = (ColourScale.onDark[0], ColourScale.onDark[1])
    let expected =
      colours == .cube
      ? "0 \u{1B}[48;5;\(weak.terminalCube);38;5;231m 0.00 \u{1B}[0m\u{1B}[48;5;\(strong.terminalCube);38;5;16m 1.00 "
        + "\u{1B}[0m"
      : "0 \u{1B}[48;2;\(weak.red);\(weak.green);\(weak.blue);38;2;255;255;255m 0.00 \u{1B}[0m"
        + "\u{1B}[48;2;\(strong.red);\(strong.green);\(strong.blue);38;2;0;0;0m 1.00 \u{1B}[0m"
    #expect(lines[1] == expected)
    let bare = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    #expect(bare.hasPrefix("    0     1\n0  0.00  1.00 \n  0 "))
  }

  @Test func whatIsNotFinite() {
    let matrix = WeightMatrix([.nan, 0.5, -.infinity, 1], queries: 2, keys: 2)
    #expect(
      matrix.terminalHeatMap() == """
             0       1
        0 ╳╳ nan  ▒▒ 0.50
        1 ╳╳ -inf ██ 1.00
          0 [  ░░▒▒▓▓██] 1
        ╳╳ not finite

        """)
    #expect(matrix.terminalHeatMap(style: TerminalStyle(colours: .full)).contains(" nan "))
  }

  /// No line is wider than asked, and lines say what is not drawn.
  @Test(arguments: [24, 40, 80, 133])
  func whatDoesNotFit(width: Int) {
    let labels = (0..<300).map { "label中国\($0)" }
    let matrix = WeightMatrix(
      (0..<300 * 10).map { Float($0 % 7) / 7 }, queries: 10, keys: 300, queryLabels: Array(labels[..<10]),
      keyLabels: labels, title: String(repeating: "long title ", count: 20))
    for colours in [TerminalStyle.Colours.none, .full] {
      let text = matrix.terminalHeatMap(style: TerminalStyle(width: width, rows: 4, colours: colours))
      let lines = text.replacing(/\u{1B}\[[0-9;]*m/, with: "").split(separator: "\n")
      for line in lines.dropLast(2) { #expect(DisplayWidth.of(String(line)) <= width, "\(line)") }
      let drawn = (width - width / 3 - 1) / 2
      let labelled = min(width / 3, 10)
      let keys = labelled < width / 3 ? (width - labelled - 1) / 2 : drawn
      #expect(
        lines[lines.count - 2] == "the first \(keys) of 300 keys; \(300 - keys) do not fit into \(width) columns")
      #expect(lines.last == "the first 4 of 10 queries; 6 are left out")
    }
  }

  @Test func nothing() {
    #expect(
      WeightMatrix([], queries: 0, keys: 5).terminalHeatMap() == "nothing to draw: 0 queries × 5 keys\n")
  }

  @Test func hostileLabels() {
    let matrix = WeightMatrix(
      [1], queries: 1, keys: 1, queryLabels: ["\u{1B}[2Ja\nb"], keyLabels: ["\u{7}"], title: "\u{9B}x")
    let text = matrix.terminalHeatMap() + matrix.terminalBars(query: 0)
    #expect(!text.contains("\u{1B}") && !text.contains("\u{7}") && !text.contains("\u{9B}"))
    #expect(text.contains(#"\u{1b}[2Ja\nb"#))
  }
}
