/// Dropout between the layers of a recurrent stack.
///
/// Whether element j of step t of sequence b is dropped follows from the seed, b, t and j alone: neither the padding nor
/// the other sequences of the batch change it.
struct RecurrentDropout: Sendable {
  let probability: Double
  let seed: UInt64

  /// Packed rows [N, width] with elements dropped and the others divided by 1 − p; gradients likewise.
  func callAsFunction(_ packed: [Float], _ steps: PackedSteps, width: Int) -> [Float] {
    let keeps = Float(1 / (1 - probability))
    // A number is below p · 2⁵³ when it is below the next integer.
    let threshold = UInt64((probability * 0x1p53).rounded(.up))
    return [Float](unsafeUninitializedCapacity: packed.count) { kept, count in
      packed.withUnsafeBufferPointer { packed in
        for row in 0..<steps.batch {
          let sequenceSeed = InitialGenerator.number(steps.order[row], seed: seed)
          for step in 0..<steps.lengths[row] {
            let first = (steps.starts[step] + row) * width
            for column in 0..<width {
              let number = InitialGenerator.number(step &* width &+ column, seed: sequenceSeed) >> 11
              kept.initializeElement(at: first + column, to: number < threshold ? 0 : packed[first + column] * keeps)
            }
          }
        }
      }
      count = packed.count
    }
  }
}
