import Testing

@testable import AttentionPictures

@Suite struct LineChartTests {
  private func chart(_ values: [[Double]], title: String = "t") -> LineChart {
    LineChart(
      values.enumerated().map { index, values in
        .init("line \(index)", points: values.enumerated().map { (Double($0 + 1), $1) })
      }, title: title, xLabel: "epoch", yLabel: "loss")
  }

  @Test func pointsAreWhereTheyShouldBe() throws {
    let svg = XMLElements(chart([[4, 2, 0], [3, 3, 3]]).svg())
    let dots = svg.named("circle").map { (Double($0.attributes["cx"]!)!, Double($0.attributes["cy"]!)!) }
    #expect(dots.map(\.0) == [64, 364, 664, 64, 364, 664])
    // The axis runs from 0 to 4, both in the range.
    #expect(dots.map(\.1) == [76, 236, 396, 156, 156, 156])
    let texts = svg.named("text").map(\.text)
    for text in ["t", "epoch", "loss", "line 0", "line 1", "0", "1", "2", "3", "4"] { #expect(texts.contains(text)) }
    #expect(svg.named("title").map(\.text).contains("line 0, epoch 2: 2"))
  }

  @Test(arguments: [
    [[]], [[5]], [[0, 0]], [[1e-9, 2e-9]], [[.nan, .infinity]], [[1, .nan, 3], [2]], [[1e300, -1e300]],
    [[3.0000001, 3.0000002]], [[Double](repeating: 1, count: 500)],
  ])
  func extremes(values: [[Double]]) throws {
    let svg = XMLElements(chart(values, title: "<&> \u{1B} 中国").svg())
    #expect(svg.named("circle").count == (values[0].count > 100 ? 0 : values.joined().count { $0.isFinite }))
    let numbers = svg.all.flatMap { element in
      ["x", "y", "cx", "cy"].compactMap { element.attributes[$0] }
    }
    for number in numbers {
      let value = try #require(Double(number), "\(number)")
      #expect(-1...800 ~= value, "\(number)")
    }
  }

  /// A line is broken where a value is missing.
  @Test func gaps() {
    let broken = XMLElements(chart([[1, 2, .nan, 3, 4]]).svg())
    let whole = XMLElements(chart([[1, 2, 2, 3, 4]]).svg())
    #expect(broken.named("polyline").count == whole.named("polyline").count + 1)
  }

  @Test func ticksAreRoundAndWithin() {
    for (low, high) in [(0.0, 1.0), (1, 12), (0.013, 0.0171), (-5, 900), (99, 101)] {
      let axis = ChartAxis([low, high], isWhole: false)
      #expect(axis.lower <= low && axis.upper >= high)
      #expect(3...12 ~= axis.ticks.count, "\(axis.ticks)")
      let whole = ChartAxis([low.rounded(), high.rounded()], isWhole: true)
      #expect(whole.ticks.allSatisfy { $0 == $0.rounded() })
    }
  }
}
