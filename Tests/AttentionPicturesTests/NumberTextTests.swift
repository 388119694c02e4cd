import Testing

@testable import AttentionPictures

@Suite struct NumberTextTests {
  @Test(
    arguments: [
      (0, 2, "0.00"), (0.5, 2, "0.50"), (0.125, 2, "0.13"), (0.9999, 2, "1.00"), (1, 4, "1.0000"), (-0.25, 2, "-0.25"),
      (-0.001, 2, "0.00"), (12.5, 0, "13"), (0.0625, 4, "0.0625"), (2e9, 2, "2e+09"), (.nan, 2, "nan"),
      (.infinity, 2, "inf"), (-.infinity, 4, "-inf"),
    ] as [(Float, Int, String)])
  func fixed(number: Float, digits: Int, text: String) {
    #expect(NumberText.fixed(number, digits: digits) == text)
  }

  @Test(arguments: [(0, "0"), (10, "10"), (1.5, "1.5"), (0.333, "0.33"), (-2.25, "-2.25"), (100, "100")])
  func short(number: Double, text: String) {
    #expect(NumberText.short(number) == text)
  }

  @Test(arguments: [(0, "0"), (1, "1"), (0.42, "0.42"), (0.0123, "0.0123"), (1e-5, "1e-05"), (-3, "-3")])
  func scaleEnds(number: Double, text: String) {
    #expect(NumberText.scaleEnd(number) == text)
  }
}
