import Attention
import AttentionReference
import Testing

@Suite struct KeyLengthTests {
  static let lengths = [140, 0, 1, 64, 129]
  static let problem = Problem(batch: 5, heads: 2, queries: 9, keys: 140, dimension: 6)

  @Test("Line 15: key lengths agree with the oracle")
  func agrees() throws {
    var problem = Self.problem
    problem.options.keyLengths = Self.lengths
    try expectAgreement(problem)
  }

  @Test("Line 15: key lengths give the bits of a mask", arguments: Kernel.all)
  func sameAsAMask(kernel: Kernel) throws {
    let attend = Self.lengths.flatMap { length in (0..<140).map { $0 < length } }
    let run = { (mask: AttentionMask) in
      try Self.problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, mask: mask).bits
    }
    let masked = try run(.boolean(attend, shape: [5, 1, 1, 140]))
    #expect(try run(.keyLengths(Self.lengths)) == masked)
    #expect(try run(.keyPadding(attend, batch: 5, keyLength: 140)) == masked)
    #expect(try run(.none) != masked)
  }

  @Test("Line 15: key lengths give the bits of the shorter sequences by themselves", arguments: Kernel.all)
  func sameAsShorterSequences(kernel: Kernel) throws {
    let padded = try Self.problem.fused(
      as: kernel.type, instructionSet: kernel.instructionSet, mask: .keyLengths(Self.lengths)
    ).bits
    for (b, length) in Self.lengths.enumerated() {
      let alone = try Self.problem.sequence(b, keys: length)
        .fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
      #expect(Array(padded.output[b * 2 * 9 * 6..<(b + 1) * 2 * 9 * 6]) == alone.output)
      #expect(Array(padded.logSumExp[b * 2 * 9..<(b + 1) * 2 * 9]) == alone.logSumExp)
    }
  }
}
