import Attention
import AttentionReference
import Testing

@Suite struct BooleanMaskTests {
  @Test("Line 1: true in a boolean mask means attend", arguments: Kernel.all)
  func trueMeansAttend(kernel: Kernel) throws {
    var problem = Problem(queries: 3, keys: 4, dimension: 2)
    problem.readOutWeights()
    let drawn = ["x.x.", ".x..", "xxxx"]
    let attend = drawn.flatMap { $0.map { $0 == "x" } }
    problem.options.mask = ReferenceBroadcast(elements: attend, shape: [3, 4])
    let weights = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).output
    #expect(weights.map { $0 > 0 } == attend)
    try expectAgreement(problem, as: [kernel.type])
  }

  @Test("Line 1: loaders of the opposite convention say so in their name")
  func torchLoaders() throws {
    let problem = Problem(batch: 2, queries: 3, keys: 4, dimension: 2)
    let padding = [true, true, false, true, true, true, true, false]
    let ignored = padding.map { !$0 }
    let expected = try problem.fused(mask: .boolean(padding, shape: [2, 1, 1, 4])).bits
    #expect(try problem.fused().bits != expected)
    #expect(
      try problem.fused(mask: AttentionMask(torchKeyPaddingMask: ignored, batch: 2, keyLength: 4)).bits == expected)
    #expect(
      try problem.fused(mask: AttentionMask(torchAttentionMask: ignored, shape: [2, 1, 1, 4])).bits == expected)
  }
}
