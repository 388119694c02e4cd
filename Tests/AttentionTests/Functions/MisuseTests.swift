import Attention
import Testing

/// Misuse of the tensor functions and of masks stops the program with a message that shows both sides.
@Suite struct MisuseTests {
  @Test func differentBatches() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = scaledDotProductAttention(
        queries: Tensor(repeating: 0, shape: [2, 1, 3, 4]), keys: Tensor(repeating: 0, shape: [1, 1, 5, 4]),
        values: Tensor(repeating: 0, shape: [1, 1, 5, 4]))
    }
    try expect(exit, says: "queries [2, 1, 3, 4], keys [1, 1, 5, 4], values [1, 1, 5, 4] do not fit together")
  }

  @Test func differentHeadDimensions() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = scaledDotProductAttention(
        queries: Tensor(repeating: 0, shape: [1, 1, 3, 8]), keys: Tensor(repeating: 0, shape: [1, 1, 3, 4]),
        values: Tensor(repeating: 0, shape: [1, 1, 3, 8]))
    }
    try expect(exit, says: "queries [1, 1, 3, 8], keys [1, 1, 3, 4], values [1, 1, 3, 8] do not fit together")
  }

  @Test func differentNumbersOfKeysAndValues() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = scaledDotProductAttentionWithLogSumExp(
        queries: Tensor(repeating: 0, shape: [1, 1, 3, 4]), keys: Tensor(repeating: 0, shape: [1, 1, 5, 4]),
        values: Tensor(repeating: 0, shape: [1, 1, 6, 4]))
    }
    try expect(exit, says: "queries [1, 1, 3, 4], keys [1, 1, 5, 4], values [1, 1, 6, 4] do not fit together")
  }

  @Test func threeAxes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [1, 3, 4])
      _ = scaledDotProductAttention(queries: x, keys: x, values: x)
    }
    try expect(exit, says: "queries [1, 3, 4], keys [1, 3, 4], values [1, 3, 4] do not fit together")
    try expect(exit, says: "expected [B, H, Sq, D], [B, G, Sk, D], [B, G, Sk, Dv]")
  }

  @Test func headGroups() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let k = Tensor(repeating: 0, shape: [1, 4, 3, 2])
      _ = attentionWeights(queries: Tensor(repeating: 0, shape: [1, 6, 3, 2]), keys: k)
    }
    try expect(exit, says: "query_heads (6) is not a multiple of kv_heads (4)")
    try expect(exit, says: "queries [1, 6, 3, 2], keys [1, 4, 3, 2], values [1, 4, 3, 2]")
  }

  @Test func causalOverDifferentLengths() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let k = Tensor(repeating: 0, shape: [1, 1, 7, 2])
      _ = scaledDotProductAttention(
        queries: Tensor(repeating: 0, shape: [1, 1, 3, 2]), keys: k, values: k, mask: .causal)
    }
    try expect(exit, says: "needs an alignment")
    try expect(exit, says: "queries [1, 1, 3, 2], keys [1, 1, 7, 2], values [1, 1, 7, 2]")
  }

  @Test func maskOfAnotherShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [1, 1, 3, 2])
      _ = scaledDotProductAttention(
        queries: x, keys: x, values: x, mask: .boolean([true, false], shape: [2]))
    }
    try expect(exit, says: "mask has shape [2], which does not broadcast to [1, 1, 3, 3]")
    try expect(exit, says: "queries [1, 1, 3, 2], keys [1, 1, 3, 2], values [1, 1, 3, 2]")
  }

  @Test func booleanMaskOfAnotherCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.boolean([true, false, true], shape: [2, 2])
    }
    try expect(exit, says: "3 elements do not make the shape [2, 2]")
  }

  @Test func booleanMaskOfFiveAxes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.boolean([true], shape: [1, 1, 1, 1, 1])
    }
    try expect(exit, says: "the shape [1, 1, 1, 1, 1] of at most four axes")
  }

  @Test func keyPaddingOfAnotherCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.keyPadding([true, false, true], batch: 2, keyLength: 2)
    }
    try expect(exit, says: "3 elements do not make the shape [2, 1, 1, 2]")
  }

  @Test func negativeWindow() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.window(left: -1, right: 2)
    }
    try expect(exit, says: "window (-1, 2) is negative")
  }

  @Test func conflictingAlignments() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.causal(.topLeft) & .aligned(queryOffset: 3)
    }
    try expect(exit, says: "cannot combine alignments topLeft and offset(3)")
  }

  @Test func conflictingKeyLengths() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.keyLengths([1, 2]) & .keyLengths([1, 2, 3])
    }
    try expect(exit, says: "2 and 3 key lengths do not combine")
  }

  @Test func conflictingMaskShapes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionMask.boolean([true, true], shape: [2]) & .boolean([true, true, true], shape: [3])
    }
    try expect(exit, says: "shapes [2] and [3] do not broadcast together")
  }

  @Test func tensorOfAnotherCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3], shape: [2, 2])
    }
    try expect(exit, says: "shape [2, 2] holds 4 numbers, 3 were given")
  }

  @Test func tensorIndexOutside() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      // Within the memory, but not within the shape.
      _ = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])[0, 3]
    }
    try expect(exit, says: "index [0, 3] is outside shape [2, 3]")
  }

  @Test func tensorReshapedToAnotherCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).reshaped(to: [4, 2])
    }
    try expect(exit, says: "shape [2, 3] of 6 numbers cannot become [4, 2]")
  }

  @Test func biasOfAnotherCount() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionBias([1, 2, 3], shape: [2])
    }
    try expect(exit, says: "3 numbers do not make the shape [2]")
  }

  @Test func negativeHeads() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = alibiSlopes(heads: -2)
    }
    try expect(exit, says: "alibiSlopes: -2 heads")
  }

  private func expect(
    _ exit: ExitTest.Result?, says expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let message = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(message.contains(expected), sourceLocation: sourceLocation)
  }
}
