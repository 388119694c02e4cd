import Attention
import Testing

/// Misuse stops the program with a message that names the layer, what it expected and what came.
@Suite struct TransformerMisuseTests {
  @Test func linear() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Linear(4, 2, seed: 0)(Tensor(repeating: 0, shape: [3, 5]))
    }
    try expect(exit, says: "Linear: expected [..., 4], got [3, 5]")
  }

  @Test func linearGradient() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Linear(4, 2, seed: 0).valueWithPullback(Tensor(repeating: 0, shape: [3, 4])).pullback(
        Tensor(repeating: 0, shape: [2, 2]))
    }
    try expect(exit, says: "Linear: expected an output gradient [3, 2], got [2, 2]")
  }

  @Test func layerNorm() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LayerNorm(4)(Tensor(repeating: 0, shape: [3, 5]))
    }
    try expect(exit, says: "LayerNorm: expected [..., 4], got [3, 5]")
  }

  @Test func embedding() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Embedding(embeddingCount: 4, dimensions: 2, seed: 0)([1, 4])
    }
    try expect(exit, says: "Embedding: expected tokens in 0..<4, got 4")
  }

  @Test func feedForward() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = FeedForward(dimensions: 4, hiddenDimensions: 8, seed: 0)(Tensor(repeating: 0, shape: [1, 3]))
    }
    try expect(exit, says: "FeedForward: expected [..., 4], got [1, 3]")
  }

  @Test func multiHeadAttention() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 3, 8])
      _ = MultiHeadAttention(dimensions: 8, numHeads: 2, keyDimensions: 6, seed: 0)(x, keys: x, values: x)
    }
    try expect(
      exit,
      says: """
        MultiHeadAttention: expected queries [B, Sq, 8], keys [B, Sk, 6], values [B, Sk, 8], \
        got queries [2, 3, 8], keys [2, 3, 8], values [2, 3, 8]
        """)
  }

  @Test func multiHeadAttentionHeads() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = MultiHeadAttention(dimensions: 8, numHeads: 3, seed: 0)
    }
    try expect(
      exit, says: "MultiHeadAttention: expected dimensions that are a multiple of numHeads, got 8 and 3")
  }

  @Test func causalOverDifferentLengthsBeforeExtraKeys() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, addZeroAttention: true, seed: 0)
      let k = Tensor(repeating: 0, shape: [1, 4, 8])
      _ = layer(Tensor(repeating: 0, shape: [1, 3, 8]), keys: k, values: k, mask: .causal)
    }
    try expect(exit, says: "a causal mask over different lengths needs an alignment")
  }

  @Test func selfAttention() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SelfAttention(dimensions: 4, seed: 0)(Tensor(repeating: 0, shape: [3, 5]))
    }
    try expect(exit, says: "SelfAttention: expected [B, S, 4] or [S, 4], got [3, 5]")
  }

  @Test func crossAttention() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = CrossAttention(dimensions: 4, contextDimensions: 3, seed: 0)(
        Tensor(repeating: 0, shape: [2, 5, 4]), context: Tensor(repeating: 0, shape: [1, 6, 3]))
    }
    try expect(exit, says: "CrossAttention: expected x [B, Sq, 4] and context [B, Sk, 3]")
    try expect(exit, says: "got [2, 5, 4] and [1, 6, 3]")
  }

  @Test func encoderLayer() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TransformerEncoderLayer(dimensions: 8, numHeads: 2, seed: 0)(Tensor(repeating: 0, shape: [3, 8]))
    }
    try expect(exit, says: "TransformerEncoderLayer: expected [B, S, 8], got [3, 8]")
  }

  @Test func decoderLayer() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TransformerDecoderLayer(dimensions: 8, numHeads: 2, seed: 0)(
        Tensor(repeating: 0, shape: [1, 3, 8]), memory: Tensor(repeating: 0, shape: [1, 3, 6]))
    }
    try expect(exit, says: "TransformerDecoderLayer: expected x [B, S, 8] and memory [B, Sm, 8]")
    try expect(exit, says: "got [1, 3, 8] and [1, 3, 6]")
  }

  @Test func rotary() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = RotaryEmbedding(dimensions: 6)(Tensor(repeating: 0, shape: [1, 1, 3, 4]))
    }
    try expect(exit, says: "RotaryEmbedding: expected [B, H, S, D] with D at least 6, got [1, 1, 3, 4]")
  }

  @Test func dropout() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dropout(1)
    }
    try expect(exit, says: "Dropout: expected a probability in 0..<1, got 1.0")
  }

  private func expect(
    _ exit: ExitTest.Result?, says expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let message = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(message.contains(expected), "\(message)", sourceLocation: sourceLocation)
  }
}
