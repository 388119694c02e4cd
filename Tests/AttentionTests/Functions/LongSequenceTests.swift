import Attention
import AttentionReference
import Testing

@Suite struct LongSequenceTests {
  /// 4 numbers a pair would be 16 GiB a head.
  @Test(arguments: AttentionScalarType.testable) func scratchOf65536(type: AttentionScalarType) throws {
    for threads in [1, 2, 8] {
      let plan = try AttentionPlan(
        shape: AttentionShape(batch: 1, queryHeads: 8, queryLength: 65536, headDimension: 64), type: type,
        mask: .causal, options: AttentionOptions(threads: threads))
      #expect(plan.threads == threads)
      #expect(plan.scratchBytes > 0 && plan.scratchBytes < 32 << 20)
    }
  }

  /// Rows of a causal problem of 1,500 positions, each against the oracle's answer to that row alone.
  @Test(arguments: availableInstructionSets) func rowsOf1500(instructionSet: String) throws {
    let S = 1500
    var problem = Problem(heads: 2, keyHeads: 1, queries: S, keys: S, dimension: 64).rounded(to: .float32)
    problem.options.causal = true
    let fused = try problem.fused(instructionSet: instructionSet)
    #expect(fused.output.allSatisfy { $0.isFinite } && fused.logSumExp.allSatisfy { $0.isFinite })
    for (head, position) in [(0, 0), (0, 47), (1, 48), (0, 767), (1, 1024), (1, 1499)] {
      let row = problem.row(head: head, query: position)
      var single = problem
      single.shape.queryHeads = 1
      single.shape.queryLength = 1
      single.queries = Array(problem.queries[row * 64..<(row + 1) * 64])
      single.options.queryOffsets = [position]
      let oracle = single.reference()
      let result = FusedResult(
        output: Array(fused.output[row * 64..<(row + 1) * 64]), logSumExp: [fused.logSumExp[row]],
        bits: FusedResult.Bits(output: [], logSumExp: []))
      let violation = single.violation(
        of: result, as: .float32, oracle: (oracle.output, oracle.logSumExp), naive: single.naive(in: .float32))
      #expect(violation == nil, "head \(head), position \(position)")
    }
  }
}
