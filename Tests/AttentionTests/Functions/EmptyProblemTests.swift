import Attention
import AttentionReference
import Testing

/// Problems without keys, queries or sequences.
@Suite struct EmptyProblemTests {
  @Test(arguments: Kernel.all) func noKeys(kernel: Kernel) throws {
    var problem = Problem(batch: 2, heads: 2, queries: 3, keys: 0, dimension: 4)
    for sinks in [nil, [1.0, 2.0]] {
      problem.options.sinks = sinks
      let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      #expect(fused.bits.output == [UInt64](repeating: 0, count: 48))
      #expect(fused.logSumExp == [Double](repeating: -.infinity, count: 12))
    }
  }

  @Test(arguments: Kernel.all) func noQueries(kernel: Kernel) throws {
    let fused = try Problem(queries: 0, keys: 3).fused(as: kernel.type, instructionSet: kernel.instructionSet)
    #expect(fused.output.isEmpty && fused.logSumExp.isEmpty)
  }

  @Test(arguments: Kernel.all) func noSequences(kernel: Kernel) throws {
    let problem = Problem(
      batch: 0, queries: 3, keys: 3, options: ReferenceOptions(causal: true, keyLengths: []))
    let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    #expect(fused.output.isEmpty && fused.logSumExp.isEmpty)
  }

  @Test func tensors() {
    let none = Tensor([], shape: [2, 1, 0, 4])
    let some = Tensor(repeating: 1, shape: [2, 1, 3, 4])
    let (output, logSumExp) = scaledDotProductAttentionWithLogSumExp(queries: some, keys: none, values: none)
    #expect(output == Tensor(repeating: 0, shape: [2, 1, 3, 4]))
    #expect(logSumExp == Tensor(repeating: -.infinity, shape: [2, 1, 3]))
    #expect(attentionWeights(queries: some, keys: none) == Tensor([], shape: [2, 1, 3, 0]))
    #expect(scaledDotProductAttention(queries: none, keys: some, values: some) == none)
    let nothing = Tensor([], shape: [0, 1, 3, 4])
    #expect(scaledDotProductAttention(queries: nothing, keys: nothing, values: nothing) == nothing)
  }

  /// Wrong options are wrong for nothing too.
  @Test func errorsComeFirst() {
    let error = #expect(throws: AttentionError.self) {
      try Problem(batch: 0, queries: 3, keys: 3, options: ReferenceOptions(scale: .nan)).fused()
    }
    #expect(error?.code == .notFinite)
  }
}
