import Testing

@testable import AttentionPictures

@Suite struct TerminalBarsTests {
  /// 20 columns for the bars: 32 less the labels' 4, the numbers' 6 and 3 between. 0.15 ÷ 0.5 of 19 columns is 5.7,
  /// in eighths 45.6 → 46; 0.35 ÷ 0.5 of 19 is 13.3 → 106 eighths.
  @Test func exact() {
    #expect(
      TerminalHeatMapTests.sentence.terminalBars(query: 1, style: TerminalStyle(width: 32)) == """
        我爱中国
        query 爱
          我 ▏█████▊              0.1500
          爱 ▏█████████████▎      0.3500
        中国 ▏███████████████████ 0.5000

        """)
  }

  @Test func whatHasNoBar() {
    let bars = WeightMatrix([.nan, -1, 0.5, 0], queries: 1, keys: 4).terminalBars(
      query: 0, style: TerminalStyle(width: 24))
    #expect(
      bars == """
        query 0
        0 ▏                  nan
        1 ▏              -1.0000
        2 ▏█████████████  0.5000
        3 ▏               0.0000

        """)
    #expect(WeightMatrix([0, 0], queries: 1, keys: 2).terminalBars(query: 0).contains("0.0000"))
  }

  @Test func rowsLeftOut() {
    let bars = WeightMatrix([Float](repeating: 0.1, count: 10), queries: 1, keys: 10)
      .terminalBars(query: 0, style: TerminalStyle(rows: 3))
    #expect(bars.hasSuffix("the first 3 of 10 keys; 7 are left out\n"))
    #expect(bars.split(separator: "\n").count == 5)
  }
}
