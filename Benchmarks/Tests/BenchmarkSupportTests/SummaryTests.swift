import BenchmarkSupport
import Testing

@Suite struct SummaryTests {
  @Test func quartilesAreThoseOfNumPy() {
    // numpy.quantile([7, 1, 3, 2, 10], [0.25, 0.5, 0.75])
    let summary = Summary([7, 1, 3, 2, 10])
    #expect(summary.lowerQuartile == 2)
    #expect(summary.median == 3)
    #expect(summary.upperQuartile == 7)
    #expect(summary.minimum == 1)
    #expect(summary.maximum == 10)
    #expect(summary.samples == [7, 1, 3, 2, 10])
    // numpy.quantile([1, 2, 3, 4], [0.25, 0.5, 0.75])
    let even = Summary([4, 3, 2, 1])
    #expect([even.lowerQuartile, even.median, even.upperQuartile] == [1.75, 2.5, 3.25])
  }

  @Test func oneSampleIsItsOwnSpread() {
    let summary = Summary([5])
    #expect([summary.minimum, summary.lowerQuartile, summary.median, summary.upperQuartile] == [5, 5, 5, 5])
  }

  @Test func driftThatHitsBothCancelsInRatios() {
    let ratios = Summary.ratios([2, 4, 8], to: [1, 2, 4])
    #expect(ratios.minimum == 2 && ratios.maximum == 2)
  }

  @Test func scalingKeepsTheOrder() {
    #expect(Summary([1, 2, 3]).scaled(by: 10) == Summary([10, 20, 30]))
  }
}
