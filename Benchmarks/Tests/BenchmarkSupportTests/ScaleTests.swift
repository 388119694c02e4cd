import BenchmarkSupport
import Testing

@Suite struct ScaleTests {
  @Test func endsOfTheDomainLieAtTheEnds() {
    for kind in [Scale.Kind.linear, .logarithmic] {
      let scale = Scale(kind, domain: 2...200, from: 500, to: 100)
      #expect(abs(scale.position(2) - 500) < 1e-9)
      #expect(abs(scale.position(200) - 100) < 1e-9)
    }
  }

  @Test func equalFactorsAreEqualDistances() {
    let scale = Scale(.logarithmic, domain: 1...1000, from: 0, to: 300)
    #expect(abs(scale.position(10) - 100) < 1e-9)
    #expect(abs(scale.position(100) - 200) < 1e-9)
  }
}

@Suite struct TicksTests {
  @Test func linearTicksAreRoundAndInside() {
    #expect(Ticks.linear(0...100, about: 5) == [0, 20, 40, 60, 80, 100])
    #expect(Ticks.linear(0...7, about: 7) == [0, 1, 2, 3, 4, 5, 6, 7])
    let ticks = Ticks.linear(0.31...0.94, about: 5)
    #expect(ticks.allSatisfy { (0.31...0.94).contains($0) })
    #expect((3...8).contains(ticks.count))
  }

  @Test(arguments: [0.003, 0.7, 1, 42, 99.9, 12345])
  func wideningReachesATickAtOrAboveTheMaximum(_ maximum: Double) {
    let domain = Ticks.widened(0...maximum)
    let ticks = Ticks.linear(domain)
    #expect(domain.lowerBound == 0 && domain.upperBound >= maximum * (1 - 1e-9))
    #expect(abs((ticks.last ?? 0) - domain.upperBound) <= 1e-9 * domain.upperBound)
    #expect((3...12).contains(ticks.count))
  }

  @Test func logarithmicTicksArePowersOfTen() {
    let many = Ticks.logarithmic(0.5...20_000)
    #expect(many.count == 5)
    for (tick, expected) in zip(many, [1.0, 10, 100, 1000, 10_000]) { #expect(abs(tick / expected - 1) < 1e-9) }
    let few = Ticks.logarithmic(1...60)
    #expect(few.map { Int($0.rounded()) } == [1, 2, 5, 10, 20, 50])
  }

  @Test func thinningKeepsTheLastAndTheDistance() {
    let scale = Scale(.linear, domain: 0...10, from: 0, to: 100)
    #expect(Ticks.thinned([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], on: scale, distance: 35) == [2, 6, 10])
  }
}

@Suite struct LabelPlacementTests {
  @Test func placesFarApartStay() {
    #expect(separated([100, 10, 50], by: 20) == [100, 10, 50])
  }

  @Test func crowdedPlacesSpreadAroundTheirMeanInOrder() {
    #expect(separated([50, 50], by: 20) == [40, 60])
    let places = [10.0, 12, 14, 90, 91]
    let moved = separated(places, by: 18)
    for (a, b) in zip(moved, moved.dropFirst()) { #expect(b - a >= 18 - 1e-9) }
    #expect(abs(moved[0] + moved[1] + moved[2] - 36) < 1e-9)
  }
}
