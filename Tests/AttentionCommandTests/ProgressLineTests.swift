#if DEBUG
  @testable import AttentionCommand
  import Testing

  /// The text of the progress display. Optimized builds do not open a module's inside to tests.
  @Suite struct ProgressLineTests {
    @Test(arguments: [
      (0.0, "attention  [--------------------]  0 %  2.0 s"),
      (0.25, "attention  [#####---------------]  25 %  2.0 s, 6.0 s left"),
      (0.5, "attention  [##########----------]  50 %  2.0 s, 2.0 s left"),
      (1, "attention  [####################]  100 %  2.0 s, 0.0 s left"),
      // Beyond the ends the bar keeps its width.
      (-1, "attention  [--------------------]  0 %  2.0 s"),
      (7, "attention  [####################]  100 %  2.0 s, 0.0 s left"),
    ])
    func line(fraction: Double, line: String) {
      #expect(ProgressDisplay.line("attention", fraction: fraction, elapsed: 2) == line)
    }

    @Test func workOfUnknownLength() {
      #expect(ProgressDisplay.line("compare", fraction: nil, elapsed: 12.345) == "compare  12.3 s")
    }
  }
#endif
