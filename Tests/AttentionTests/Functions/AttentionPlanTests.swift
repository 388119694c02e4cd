import Attention
import Testing

@Suite struct AttentionPlanTests {
  @Test(arguments: [1, 5, 48, 129, 1000]) func visiblePairsOfCausal(length: Int) throws {
    let H = 6
    let shape = AttentionShape(batch: 2, queryHeads: H, keyHeads: 2, queryLength: length, headDimension: 64)
    let plan = try AttentionPlan(shape: shape, mask: .causal)
    let pairs = Double(2 * H * length * (length + 1) / 2)
    #expect(plan.visiblePairs == pairs)
    #expect(plan.flops == 2 * 128 * pairs)
    #expect(plan.executedFlops >= plan.flops)
  }

  @Test func visiblePairsOfOtherMasks() throws {
    let shape = AttentionShape(batch: 2, queryHeads: 1, queryLength: 10, keyLength: 20, headDimension: 8)
    let pairs = { (mask: AttentionMask) in try AttentionPlan(shape: shape, mask: mask).visiblePairs }
    #expect(try pairs(.none) == 400)
    #expect(try pairs(.keyLengths([20, 3])) == 230)
    #expect(try pairs(.causal(.topLeft)) == 110)
    #expect(try pairs(.causal(.bottomRight)) == 310)
    #expect(try pairs(.causal(queryOffset: -20)) == 0)
    // A window of 3 from position 0 has 2, then 3 keys.
    #expect(try pairs(.window(left: 1, right: 1)) == 58)
  }

  /// Queries, keys, values and output, once each.
  @Test(arguments: [(AttentionScalarType.float32, 4), (.float64, 8), (.float16, 2), (.bfloat16, 2)])
  func bytes(type: AttentionScalarType, size: Int) throws {
    let shape = AttentionShape(
      batch: 2, queryHeads: 6, keyHeads: 2, queryLength: 10, keyLength: 30, headDimension: 8, valueDimension: 5)
    let elements = 2 * (6 * 10 * (8 + 5) + 2 * 30 * (8 + 5))
    #expect(try AttentionPlan(shape: shape, type: type).bytes == Double(elements * size))
  }

  @Test func tiles() throws {
    let shape = AttentionShape(batch: 1, queryHeads: 1, queryLength: 1024, headDimension: 64)
    // On one thread, for several divide work by the mask too, and blocks end where items do.
    let options = AttentionOptions(threads: 1)
    let whole = try AttentionPlan(shape: shape, options: options)
    #expect(whole.skippedTiles == 0 && whole.boundaryTiles == 0 && whole.fullTiles > 0)
    #expect(whole.executedFlops == whole.flops)
    let causal = try AttentionPlan(shape: shape, mask: .causal, options: options)
    #expect(causal.skippedTiles > 0 && causal.boundaryTiles > 0 && causal.fullTiles > 0)
    #expect(causal.skippedTiles + causal.boundaryTiles + causal.fullTiles == whole.fullTiles)
    // Half the work and the diagonal: each row at most a register tile's rows and columns more.
    #expect(causal.executedFlops <= causal.flops + 256 * 1024 * Double(causal.registerTile[0] + causal.registerTile[1]))
    let masked = try AttentionPlan(shape: shape, mask: .boolean([true], shape: []), options: options)
    #expect(masked.fullTiles == 0 && masked.boundaryTiles == whole.fullTiles)
  }

  /// Tile sizes, which the order of sums follows, come from the shape; work items are cut for the threads.
  @Test func tilesFollowFromTheShape() throws {
    let shape = AttentionShape(batch: 1, queryHeads: 2, queryLength: 500, headDimension: 64)
    let one = try AttentionPlan(shape: shape, options: AttentionOptions(threads: 1))
    let seven = try AttentionPlan(shape: shape, options: AttentionOptions(threads: 7))
    #expect(one.threads == 1 && seven.threads == 7)
    #expect(one.scoreTile == seven.scoreTile && one.registerTile == seven.registerTile)
    #expect(one.items < seven.items && one.itemRows > seven.itemRows && seven.items >= 7)
    #expect(one.scratchBytes < seven.scratchBytes && seven.scratchBytes <= 7 * one.scratchBytes)
    #expect(one.registerTile.allSatisfy { $0 > 0 } && one.scoreTile[0].isMultiple(of: one.registerTile[0]))
  }

  @Test func progressReachesTheItems() throws {
    let problem = Problem(heads: 3, queries: 300, keys: 40)
    let items = try AttentionPlan(shape: problem.attentionShape()).items
    let progress = AttentionProgress()
    #expect(progress.completedItems == 0 && items > 1)
    let (q, k, v) = problem.tensors
    _ = scaledDotProductAttention(queries: q, keys: k, values: v, options: AttentionOptions(progress: progress))
    #expect(progress.completedItems == items)
  }

  @Test func errorsAreThoseOfTheCall() {
    let error = #expect(throws: AttentionError.self) {
      try AttentionPlan(
        shape: AttentionShape(batch: 1, queryHeads: 6, keyHeads: 4, queryLength: 1, headDimension: 1))
    }
    #expect(error?.code == .headGroups)
  }

  @Test func system() {
    #expect(AttentionSystem.version.split(separator: ".").count == 3)
    #expect(AttentionSystem.maximumThreads >= 1)
    #expect(AttentionSystem.cacheBytes(level: 1) > 0)
    #expect(AttentionSystem.cacheBytes(level: 2) >= AttentionSystem.cacheBytes(level: 1))
  }
}
