import CPeak

/// The arithmetic limit of an instruction set on this machine, measured when asked.
struct Peak {
  /// What the limit is made of: fused multiply-adds, or products and sums.
  let operation: String

  private let loop: UnsafePointer<peak_loop>

  /// Nil when there is no loop for the instruction set.
  init?(instructionSet: String, bits: Int) {
    guard let loop = peak_find(instructionSet, Int32(bits)) else { return nil }
    self.loop = loop
    operation = String(cString: loop.pointee.operation)
  }

  /// FLOP/s of that many threads at once, over about `seconds`.
  func rate(threads: Int, seconds: Double) -> Double { peak_rate(loop, Int32(threads), seconds) }
}
