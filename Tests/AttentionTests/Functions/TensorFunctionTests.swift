import Attention
import AttentionReference
import Testing

/// The functions on tensors are the ones on spans.
@Suite struct TensorFunctionTests {
  @Test func sameBits() throws {
    let problem = Problem(
      batch: 2, heads: 4, keyHeads: 2, queries: 9, keys: 20, dimension: 6, valueDimension: 5,
      options: ReferenceOptions(
        scale: 0.3, softcap: 2, causal: true, queryOffsets: [11], windowLeft: 6,
        bias: ReferenceBroadcast(elements: (0..<20).map { Double($0) / 20 }, shape: [20]),
        alibiSlopes: [1, 0.5, 0.25, 0], sinks: [1, 0, -1, 2], dropoutProbability: 0.2, dropoutSeed: 4))
    let fused = try problem.fused()
    let (q, k, v) = problem.tensors
    let options = problem.attentionOptions(for: .float32)
    let (output, logSumExp) = scaledDotProductAttentionWithLogSumExp(
      queries: q, keys: k, values: v, scale: 0.3, mask: problem.mask, options: options)
    #expect(output.shape == [2, 4, 9, 5] && logSumExp.shape == [2, 4, 9])
    #expect(output.scalars.map(\.pattern) == fused.bits.output)
    #expect(logSumExp.scalars.map { Double($0).bitPattern } == fused.bits.logSumExp)
    #expect(
      scaledDotProductAttention(queries: q, keys: k, values: v, scale: 0.3, mask: problem.mask, options: options)
        == output)
  }
}
