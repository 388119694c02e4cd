import RealModule

/// The slopes of ALiBi for a number of heads, [heads] (Press et al. 2021, arXiv:2108.12409).
///
/// For a power of two, slope h is 2^(−8(h + 1)/heads). For other counts, as in the code of the paper's authors: the
/// slopes of the next lower power of two, then every other slope of the next higher one, as many as are missing. No
/// heads, no slopes.
public func alibiSlopes(heads: Int) -> [Double] {
  require(heads >= 0, "alibiSlopes(heads: \(heads)) needs a number of heads that is not negative")
  guard heads > 0 else { return [] }
  let lower = largestPowerOfTwo(upTo: heads)
  let higher = alibiSlopes(powerOfTwo: 2 * lower)
  let everyOther = stride(from: 0, to: higher.count, by: 2).map { higher[$0] }
  return alibiSlopes(powerOfTwo: lower) + everyOther.prefix(heads - lower)
}

/// 2^(−8(h + 1)/n) for h in 0..<n.
private func alibiSlopes(powerOfTwo n: Int) -> [Double] {
  (0..<n).map { h in Double.exp2(-8 * Double(h + 1) / Double(n)) }
}

private func largestPowerOfTwo(upTo n: Int) -> Int {
  var power = 1
  while power <= n / 2 {
    power *= 2
  }
  return power
}
