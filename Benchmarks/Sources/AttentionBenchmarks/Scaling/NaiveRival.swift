/// The naive computation of one shape: what fused outputs are compared with, and the time to beat where it is short
/// enough to wait for.
struct NaiveRival<Number: NaiveScalar> {
  /// Rows that are compared where the whole would take too long.
  private static var rowsCompared: Int { 32 }

  let isCausal: Bool
  /// The end of the output: all of it, or the last rows of the last head.
  let expected: [Number]
  let isTimed: Bool
  let callsPerSample: Int
  /// Seconds a call.
  var times: [Double] = []

  /// Runs the computation once, and on until it is known how many calls make a sample of `sampleSeconds`.
  init(inputs: NaiveInputs<Number>, isCausal: Bool, isTimed: Bool, sampleSeconds: Double) {
    self.isCausal = isCausal
    self.isTimed = isTimed
    guard isTimed else {
      expected = inputs.lastRows(min(Self.rowsCompared, inputs.length), isCausal: isCausal)
      callsPerSample = 0
      return
    }
    var output: [Number] = []
    callsPerSample = Stopwatch.calls(forAtLeast: sampleSeconds) { output = inputs.attention(isCausal: isCausal) }
    expected = output
  }

  /// Largest distance of an output from what is expected; NaN where one of the two is not a number.
  func maximumDifference<Scalar: BenchmarkScalar>(from output: [Scalar]) -> Double where Scalar.Naive == Number {
    var maximum = 0.0
    for (actual, expected) in zip(output.suffix(expected.count), expected) {
      let difference = abs(Double(actual.naive) - Double(expected))
      if !(difference <= maximum) { maximum = difference }
      if maximum.isNaN { break }
    }
    return maximum
  }
}
