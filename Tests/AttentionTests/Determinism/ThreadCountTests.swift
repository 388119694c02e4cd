import Attention
import AttentionReference
import Testing

/// The bits do not depend on the number of threads.
@Suite struct ThreadCountTests {
  static let problems = [
    Problem(
      batch: 2, heads: 6, keyHeads: 3, queries: 130, keys: 150, dimension: 20,
      options: ReferenceOptions(causal: true, queryOffsets: [20, -30], sinks: [1, 2, 3, 4, 5, 6])),
    Problem(
      batch: 1, heads: 2, queries: 301, keys: 140, dimension: 16, valueDimension: 33,
      options: ReferenceOptions(windowLeft: 40, windowRight: 9, dropoutProbability: 0.2)),
    Problem(batch: 9, heads: 1, queries: 1, keys: 257, dimension: 64),
  ]

  @Test(arguments: Kernel.all) func sameBits(kernel: Kernel) throws {
    for problem in Self.problems {
      let run = { (threads: Int?) in
        try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet, threads: threads)
      }
      let one = try run(1)
      #expect(one.output.allSatisfy { $0.isFinite } && one.output.contains { $0 != 0 })
      for threads in [2, 3, 7, nil] {
        let more = try run(threads).bits
        #expect(more == one.bits, "\(problem), \(String(describing: threads)) threads")
      }
    }
  }

  /// The plan really spreads the work.
  @Test(arguments: [1, 2, 3, 7]) func threadsAreUsed(threads: Int) throws {
    for problem in Self.problems {
      let plan = try AttentionPlan(
        shape: problem.attentionShape(), mask: problem.mask, options: AttentionOptions(threads: threads))
      #expect(plan.threads == threads)
    }
  }
}
