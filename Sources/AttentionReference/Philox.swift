/// One block of Philox4x32-10, a counter-based random generator (Salmon, Moraes, Dror, Shaw 2011, "Parallel random
/// numbers: as easy as 1, 2, 3"): four random words that depend on the counter and the key alone.
///
/// - Parameters:
///   - counter: words c0, c1, c2, c3.
///   - key: words k0, k1.
public func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var counter = counter
  var key = key
  for round in 0..<10 {
    if round > 0 {
      key &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)  // the Weyl sequence of round keys
    }
    counter = philoxRound(counter, key)
  }
  return counter
}

/// One round: two 32×32→64-bit products, whose halves are mixed with the other two words and the round key.
private func philoxRound(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  let product0 = counter[0].multipliedFullWidth(by: 0xD251_1F53)
  let product1 = counter[2].multipliedFullWidth(by: 0xCD9E_8D57)
  return SIMD4(
    product1.high ^ counter[1] ^ key[0],
    product1.low,
    product0.high ^ counter[3] ^ key[1],
    product0.low)
}
