import Testing

/// What decides the other tests must itself be able to say no.
@Suite struct ComparisonTests {
  @Test func acceptsWhatIsWithinTheSum() {
    #expect(firstViolation("x", [1.25], oracle: [1], naive: [1.0625]) { _ in 0.125 } == nil)
    let special = [Double.infinity, -.infinity, .nan]
    #expect(firstViolation("x", special, oracle: special, naive: nil) { _ in 0 } == nil)
  }

  @Test func refusesWhatIsBeyondTheSum() {
    #expect(firstViolation("x", [1.25], oracle: [1], naive: [1.0625]) { _ in 0.0625 } != nil)
  }

  @Test func refusesDifferentCounts() {
    #expect(firstViolation("x", [1, 1], oracle: [1], naive: nil) { _ in 9 } != nil)
    #expect(firstViolation("x", [], oracle: [1], naive: nil) { _ in 9 } != nil)
    #expect(firstViolation("x", [1], oracle: [1], naive: [1, 1]) { _ in 9 } != nil)
  }

  @Test(arguments: [
    (Double.nan, 1.0), (1.0, Double.nan), (.infinity, 1), (1, .infinity), (.infinity, -.infinity), (.nan, .infinity),
  ])
  func refusesOtherSpecialValues(x: Double, oracle: Double) {
    #expect(firstViolation("x", [x], oracle: [oracle], naive: nil) { _ in 9 } != nil)
  }

  @Test(arguments: [Double.nan, .infinity]) func refusesANaiveResultThatAllowsEverything(naive: Double) {
    #expect(firstViolation("x", [5], oracle: [1], naive: [naive]) { _ in 9 } != nil)
  }

  /// The derived part is small beside what is compared: a wrong weight of 1 % would show.
  @Test func theDerivedPartIsSmall() {
    let problem = Problem(queries: 128, keys: 128, dimension: 64).rounded(to: .float32)
    let oracle = problem.reference()
    let single = RoundingBound(problem, type: .float32, oracle: oracle.logSumExp)
    let double = RoundingBound(problem, type: .float64, oracle: oracle.logSumExp)
    #expect(single.output.count == 128 && single.output.allSatisfy { $0 > 0 && $0 < 2e-4 })
    #expect(single.logSumExp.count == 128 && single.logSumExp.allSatisfy { $0 > 0 && $0 < 1e-4 })
    #expect(double.output.allSatisfy { $0 > 0 && $0 < 1e-12 })
  }
}
