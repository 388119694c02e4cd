#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The expected alignment of a monotonic process that stops at key j with probability p_ij, query by query:
///
///     q_ij = (1 − p_{i,j−1}) q_{i,j−1} + α_{i−1,j},  α_ij = p_ij q_ij,  α_0 = the first key
///
/// (Raffel et al. 2017, arXiv:1704.00784, section 2.4.) q_ij is the probability that the process comes to key j. Nothing
/// is divided, so that p = 0 and p = 1 are as good as any. Computed in `Double`.
struct MonotonicAlignment: Sendable {
  private let batch, queryLength, keyLength: Int
  private let visible: [Bool]
  /// p and q, [B·Tq·Tk]; p is 0 where a pair is hidden.
  private var stops, arrivals: [Double]
  /// α, [B·Tq·Tk]: 0 where a pair is hidden.
  private(set) var weights: [Double]

  /// From energies [B, Tq, Tk] and the pairs that the mask shows. A query that sees nothing has weights 0 and leaves the
  /// process where it was.
  init(energies: Tensor, offset: Float, visible: [Bool]) {
    (batch, queryLength, keyLength) = (energies.shape[0], energies.shape[1], energies.shape[2])
    self.visible = visible
    stops = zip(energies.scalars, visible).map { energy, isVisible in
      isVisible ? 1 / (1 + exp(-(Double(energy) + Double(offset)))) : 0
    }
    arrivals = [Double](repeating: 0, count: stops.count)
    weights = arrivals
    for b in 0..<batch {
      var previous = [Double](repeating: 0, count: keyLength)
      if keyLength > 0 { previous[0] = 1 }
      for row in b * queryLength..<(b + 1) * queryLength where seesSomething(row) {
        var arrival = 0.0
        for j in 0..<keyLength {
          let pair = row * keyLength + j
          arrival = j == 0 ? previous[0] : (1 - stops[pair - 1]) * arrival + previous[j]
          arrivals[pair] = arrival
          if visible[pair] { weights[pair] = stops[pair] * arrival }
          previous[j] = weights[pair]
        }
      }
    }
  }

  /// The gradient of the energies, [B·Tq·Tk], from that of the weights. With A_ij the gradient of α_ij, that through the
  /// next query included: dq_ij = A_ij p_ij + (1 − p_ij) dq_{i,j+1}, dp_ij = (A_ij − dq_{i,j+1}) q_ij,
  /// de_ij = dp_ij p_ij (1 − p_ij), and dq_ij is what α_{i−1,j} gets.
  func pullback(_ weightGradient: [Double]) -> [Double] {
    var energies = [Double](repeating: 0, count: stops.count)
    for b in 0..<batch {
      var next = [Double](repeating: 0, count: keyLength)
      for row in (b * queryLength..<(b + 1) * queryLength).reversed() where seesSomething(row) {
        var following = 0.0
        for j in (0..<keyLength).reversed() {
          let pair = row * keyLength + j
          if visible[pair] {
            let (p, weight) = (stops[pair], weightGradient[pair] + next[j])
            energies[pair] = (weight - following) * arrivals[pair] * p * (1 - p)
            following = weight * p + (1 - p) * following
          }
          next[j] = following
        }
      }
    }
    return energies
  }

  private func seesSomething(_ row: Int) -> Bool { visible[row * keyLength..<(row + 1) * keyLength].contains(true) }
}
