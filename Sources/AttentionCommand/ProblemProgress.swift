import Attention

extension InputProblem {
  /// Shows how far the work has come while it runs, on a terminal and when there is much of it. `known` says whether
  /// the work is the plan's, whose items are counted.
  mutating func withProgress<Result>(
    known: Bool, _ body: (InputProblem) throws(CommandFailure) -> Result
  ) throws(CommandFailure) -> Result {
    guard ProgressDisplay.isWanted else { return try body(self) }
    let progress = AttentionProgress()
    options.progress = progress
    let planned = try? AttentionPlan(shape: shape, type: type, mask: mask, options: options).items
    let items = known ? planned : nil
    let display = ProgressDisplay("attention") { items.map { Double(progress.completedItems) / Double(max($0, 1)) } }
    defer { display.stop() }
    return try body(self)
  }
}
