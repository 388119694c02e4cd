import Attention
import AttentionReference
import Testing

/// The bits do not depend on the batch around a sequence.
@Suite struct BatchPlaceTests {
  static let problem = Problem(
    batch: 4, heads: 4, keyHeads: 2, queries: 70, keys: 200, dimension: 12, valueDimension: 9,
    options: ReferenceOptions(
      softcap: 4, causal: true, queryOffsets: [100],
      bias: ReferenceBroadcast(elements: [0.5, -1, 2, 0], shape: [4, 1, 1])))

  @Test(arguments: Kernel.all) func aloneAsInABatch(kernel: Kernel) throws {
    let together = try Self.problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    for b in 0..<4 {
      let alone = try Self.problem.sequence(b)
        .fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
      #expect(Array(together.output[b * 4 * 70 * 9..<(b + 1) * 4 * 70 * 9]) == alone.output)
      #expect(Array(together.logSumExp[b * 4 * 70..<(b + 1) * 4 * 70]) == alone.logSumExp)
    }
  }

  @Test(arguments: Kernel.all) func anyPlaceInTheBatch(kernel: Kernel) throws {
    var turned = Self.problem
    turned.queries = turnedByASequence(turned.queries)
    turned.keys = turnedByASequence(turned.keys)
    turned.values = turnedByASequence(turned.values)
    let result = try turned.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    let expected = try Self.problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    #expect(result.output == turnedByASequence(expected.output))
    #expect(result.logSumExp == turnedByASequence(expected.logSumExp))
    #expect(result != expected)
  }

  /// A large batch changes how many rows a work item takes, and with it nothing else.
  @Test(arguments: Kernel.all) func manyTimesTheSame(kernel: Kernel) throws {
    let alone = Problem(heads: 2, queries: 200, keys: 140, dimension: 4, options: ReferenceOptions(windowLeft: 30))
    var many = alone
    many.shape.batch = 40
    many.queries = (0..<40).flatMap { _ in alone.queries }
    many.keys = (0..<40).flatMap { _ in alone.keys }
    many.values = (0..<40).flatMap { _ in alone.values }
    let threads = 3
    let itemRows = try [alone, many].map {
      try AttentionPlan(shape: $0.attentionShape(), options: AttentionOptions(threads: threads)).itemRows
    }
    #expect(itemRows[0] != itemRows[1])
    func bits(_ problem: Problem) throws -> FusedResult.Bits {
      try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, threads: threads).bits
    }
    let (expected, result) = try (bits(alone), bits(many))
    #expect(result.output == (0..<40).flatMap { _ in expected.output })
    #expect(result.logSumExp == (0..<40).flatMap { _ in expected.logSumExp })
  }

  private func turnedByASequence<Element>(_ elements: [Element]) -> [Element] {
    let size = elements.count / 4
    return Array(elements[size...] + elements[..<size])
  }
}
