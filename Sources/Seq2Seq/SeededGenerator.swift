/// SplitMix64 (Steele, Lea, Flood 2014): what a seed makes is the same on every machine, and with every version of the
/// standard library, whose own ways of drawing and shuffling are not fixed.
struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// An independent sequence for each stream of a seed, such as an epoch's number.
  init(seed: UInt64, stream: UInt64) {
    var first = Self(seed: seed)
    var second = Self(seed: first.next() ^ stream &* 0xD1B5_4A32_D192_ED03)
    state = second.next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in 0..<bound, without bias (Lemire 2019, arXiv:1805.10941).
  mutating func below(_ bound: Int) -> Int {
    let bound = UInt64(bound)
    let rejected = (0 &- bound) % bound
    while true {
      let product = next().multipliedFullWidth(by: bound)
      if product.low >= rejected { return Int(product.high) }
    }
  }

  /// Uniform in the range.
  mutating func number(in range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True with probability 1 ÷ n.
  mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

  /// One of the elements.
  mutating func choose<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  /// Every order equally likely (Fisher and Yates, from the end).
  mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in elements.indices.dropFirst().reversed() { elements.swapAt(last, below(last + 1)) }
  }
}
