/// Whether dropout removes the weight of query i and key j in batch b and head h.
///
/// It does when word j mod 4 of Philox4x32-10 with the counter (j ÷ 4, i, h, b), keyed by the low and the high half
/// of the seed, is below p·2³² rounded to the nearest integer, ties away from zero. The answer depends on the seed
/// and the four indices alone: not on the shape, the order of evaluation or other options. p = 0 drops nothing.
/// Indices count modulo 2³².
public func isDropped(
  batch b: Int, head h: Int, query i: Int, key j: Int, probability: Double, seed: UInt64
) -> Bool {
  let counter = SIMD4(
    UInt32(truncatingIfNeeded: j / 4), UInt32(truncatingIfNeeded: i), UInt32(truncatingIfNeeded: h),
    UInt32(truncatingIfNeeded: b))
  let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  let word = philox4x32(counter: counter, key: key)[j % 4]
  return UInt64(word) < dropoutThreshold(probability: probability)
}

/// p·2³² rounded to the nearest integer, ties away from zero. The product itself is exact.
func dropoutThreshold(probability: Double) -> UInt64 {
  UInt64((probability * 0x1p32).rounded(.toNearestOrAwayFromZero))
}

extension ReferenceOptions {
  /// A weight as the output sees it: itself without dropout, else multiplied by 0 when dropped and divided by 1 − p
  /// when kept. A weight of NaN stays NaN, so that dropout hides no failed row.
  ///
  /// The map is linear: on the way back it takes the gradient of the weight the output saw to that of the weight.
  func afterDropout(_ weight: Double, batch b: Int, head h: Int, query i: Int, key j: Int) -> Double {
    guard dropoutProbability > 0 else { return weight }
    let dropped = isDropped(
      batch: b, head: h, query: i, key: j, probability: dropoutProbability, seed: dropoutSeed)
    return dropped ? 0 * weight : weight / (1 - dropoutProbability)
  }
}
