/// Tells, before it is run, about how long the naive computation of a shape would take.
struct NaiveBudget {
  private struct Case: Hashable {
    let dimension: Int
    let isCausal: Bool
  }

  let limitSeconds: Double
  /// Seconds a pair, visible or not, at the longest length seen: the time a pair grows with the length.
  private var secondsPerPair: [Case: Double] = [:]

  init(limitSeconds: Double) { self.limitSeconds = limitSeconds }

  /// Whether a run is worth waiting for. Asks a short run of one head when nothing is known yet.
  mutating func allows<Number: NaiveScalar>(_ inputs: NaiveInputs<Number>, isCausal: Bool) -> Bool {
    let key = Case(dimension: inputs.dimension, isCausal: isCausal)
    let pairs = Double(inputs.heads * inputs.length * inputs.length)
    if secondsPerPair[key] == nil {
      let rows = min(64, inputs.length)
      let seconds = Stopwatch.seconds { _ = inputs.lastRows(rows, isCausal: isCausal) }
      secondsPerPair[key] = seconds / Double(rows * inputs.length)
    }
    return secondsPerPair[key, default: 0] * pairs <= limitSeconds
  }

  /// Takes note of a measured run.
  mutating func record<Number: NaiveScalar>(_ seconds: Double, _ inputs: NaiveInputs<Number>, isCausal: Bool) {
    secondsPerPair[Case(dimension: inputs.dimension, isCausal: isCausal)] =
      seconds / Double(inputs.heads * inputs.length * inputs.length)
  }
}
