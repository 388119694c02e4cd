import Attention
import Testing

/// Every layer of the transformer, forward and backward, against values that PyTorch computed.
@Suite struct TransformerPyTorchTests {
  @Test func allCasesAreTested() throws {
    let recorded = Set(try TransformerCase.fixtures().names.map { String($0.prefix { $0 != "." }) })
    let tested = Set(
      Self.headCases.map(\.name) + Self.linearCases.map(\.name) + Self.normCases.map(\.name)
        + Self.feedForwardCases.map(\.name) + Self.rotaryCases.map(\.name) + Self.stackedCases.map(\.name)
        + ["embedding", "self_attention", "self_attention_unbatched", "cross_attention"])
    #expect(recorded == tested)
  }

  static let linearCases = [(name: "linear", bias: true), (name: "linear_plain", bias: false)]

  @Test(arguments: linearCases) func linear(name: String, bias: Bool) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(Linear(8, 12, bias: bias, seed: 1))
    let x = try recorded.input("x")
    let (value, pullback) = layer.valueWithPullback(x)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x) == value)
    try recorded.expect(output: value, parameters: gradients.parameters.parameters, inputs: ["x": gradients.input])
  }

  static let normCases = [
    (name: "layer_norm", layer: LayerNorm(8, eps: 1e-3)),
    (name: "layer_norm_unaffine", layer: LayerNorm(8, affine: false)),
  ]

  @Test(arguments: normCases) func layerNorm(name: String, layer: LayerNorm) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(layer)
    let x = try recorded.input("x")
    let (value, pullback) = layer.valueWithPullback(x)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x) == value)
    try recorded.expect(output: value, parameters: gradients.parameters.parameters, inputs: ["x": gradients.input])
  }

  @Test func embedding() throws {
    let recorded = try TransformerCase("embedding")
    let layer = try recorded.loaded(Embedding(embeddingCount: 6, dimensions: 8, paddingIndex: 2, seed: 1))
    let tokens = [[0, 2, 5], [5, 5, 1]]
    #expect(try recorded.file.tensor(named: "embedding.inputs.tokens").integers() == tokens.flatMap { $0 })
    let (value, pullback) = layer.valueWithPullback(tokens)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(tokens) == value)
    try recorded.expect(output: value, parameters: gradients.parameters, inputs: [:])
  }

  static let feedForwardCases = [
    (name: "feed_forward_relu", activation: Activation.relu), (name: "feed_forward_gelu", activation: .gelu),
    (name: "feed_forward_gelu_tanh", activation: .geluTanh),
  ]

  @Test(arguments: feedForwardCases) func feedForward(name: String, activation: Activation) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(
      FeedForward(dimensions: 8, hiddenDimensions: 12, activation: activation, seed: 1))
    let x = try recorded.input("x")
    let (value, pullback) = layer.valueWithPullback(x)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x) == value)
    try recorded.expect(output: value, parameters: gradients.parameters.parameters, inputs: ["x": gradients.input])
  }

  static let rotaryCases = [
    (name: "rotary_half_split", convention: RotaryEmbedding.Convention.halfSplit),
    (name: "rotary_interleaved", convention: .interleaved),
  ]

  @Test(arguments: rotaryCases) func rotary(name: String, convention: RotaryEmbedding.Convention) throws {
    let recorded = try TransformerCase(name)
    let rotary = RotaryEmbedding(dimensions: 8, convention: convention)
    let x = try recorded.input("x")
    let (value, pullback) = rotary.valueWithPullback(x, offset: 3)
    #expect(rotary(x, offset: 3) == value)
    try recorded.expect(output: value, inputs: ["x": pullback(try recorded.outputGradient)])
  }

  @Test(arguments: ["self_attention", "self_attention_unbatched"]) func selfAttention(name: String) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(SelfAttention(dimensions: 8, keyDimensions: 6, valueDimensions: 10, seed: 1))
    let x = try recorded.input("x")
    let (value, pullback) = layer.valueWithPullback(x)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x) == value)
    try recorded.expect(output: value, parameters: gradients.parameters.parameters, inputs: ["x": gradients.input])
  }

  @Test func crossAttention() throws {
    let recorded = try TransformerCase("cross_attention")
    let layer = try recorded.loaded(
      CrossAttention(dimensions: 8, contextDimensions: 7, keyDimensions: 6, valueDimensions: 10, seed: 1))
    let (x, context) = (try recorded.input("x"), try recorded.input("context"))
    let (value, pullback) = layer.valueWithPullback(x, context: context)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x, context: context) == value)
    try recorded.expect(
      output: value, parameters: gradients.parameters.parameters,
      inputs: ["x": gradients.input, "context": gradients.context])
  }

  struct Heads: Sendable, CustomTestStringConvertible {
    var name: String
    var layer = MultiHeadAttention(dimensions: 8, numHeads: 2, seed: 1)
    var mask = AttentionMask.none
    /// Composed of PyTorch's functions under MLX's names, without weights.
    var isComposed = false
    var testDescription: String { name }
  }

  static let padding = AttentionMask(
    torchKeyPaddingMask: [false, false, false, false, false, false, false, false, true, true], batch: 2, keyLength: 5)
  static let forbidden = AttentionMask(
    torchAttentionMask: (0..<20).map { (3 * ($0 / 5) + 2 * ($0 % 5)) % 5 == 0 }, shape: [4, 5])

  static let headCases = [
    Heads(name: "heads"), Heads(name: "heads_causal", mask: .causal), Heads(name: "heads_padding", mask: padding),
    Heads(name: "heads_mask", mask: forbidden),
    Heads(
      name: "heads_dimensions",
      layer: MultiHeadAttention(
        dimensions: 8, numHeads: 2, keyDimensions: 6, valueDimensions: 10, bias: false, seed: 1)),
    Heads(
      name: "heads_extra",
      layer: MultiHeadAttention(dimensions: 8, numHeads: 2, addBiasKV: true, addZeroAttention: true, seed: 1),
      mask: padding & forbidden),
    Heads(
      name: "heads_extra_causal",
      layer: MultiHeadAttention(
        dimensions: 8, numHeads: 2, keyDimensions: 6, valueDimensions: 10, addBiasKV: true, seed: 1), mask: .causal),
    Heads(
      name: "heads_grouped", layer: MultiHeadAttention(dimensions: 8, numHeads: 4, numKeyHeads: 2, seed: 1),
      isComposed: true),
    Heads(
      name: "heads_rotary_half_split",
      layer: MultiHeadAttention(dimensions: 8, numHeads: 2, rotary: RotaryEmbedding(dimensions: 4), seed: 1),
      isComposed: true),
    Heads(
      name: "heads_rotary_interleaved",
      layer: MultiHeadAttention(
        dimensions: 8, numHeads: 2, numKeyHeads: 1,
        rotary: RotaryEmbedding(dimensions: 4, convention: .interleaved), seed: 1), isComposed: true),
  ]

  @Test(arguments: headCases) func multiHeadAttention(_ heads: Heads) throws {
    let recorded = try TransformerCase(heads.name)
    let layer = try recorded.loaded(heads.layer)
    let (q, k, v) = (try recorded.input("query"), try recorded.input("key"), try recorded.input("value"))
    let (value, pullback) = layer.valueWithPullback(q, keys: k, values: v, mask: heads.mask)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(q, keys: k, values: v, mask: heads.mask) == value)
    let weights = [
      "weights_averaged": layer.weights(q, keys: k, mask: heads.mask),
      "weights": layer.weights(q, keys: k, mask: heads.mask, averaged: false),
    ]
    try recorded.expect(
      output: value, parameters: gradients.parameters.parameters(naming: heads.isComposed ? .mlx : .torch),
      inputs: ["query": gradients.queries, "key": gradients.keys, "value": gradients.values],
      weights: heads.isComposed ? [:] : weights,
      zero: heads.name == "heads_grouped" ? ["parameters.key_proj.bias"] : [])
  }

  static let stackedCases = [
    (name: "encoder_post", normFirst: false), (name: "encoder_pre", normFirst: true),
    (name: "decoder_post", normFirst: false), (name: "decoder_pre", normFirst: true),
  ]

  @Test(arguments: stackedCases.prefix(2)) func encoderLayer(name: String, normFirst: Bool) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(
      TransformerEncoderLayer(
        dimensions: 8, numHeads: 2, feedForwardDimensions: 12, activation: .gelu, normFirst: normFirst, seed: 1))
    let x = try recorded.input("x")
    let (value, pullback) = layer.valueWithPullback(x, mask: Self.padding)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x, mask: Self.padding) == value)
    try recorded.expect(output: value, parameters: gradients.parameters.parameters, inputs: ["x": gradients.input])
  }

  @Test(arguments: stackedCases.suffix(2)) func decoderLayer(name: String, normFirst: Bool) throws {
    let recorded = try TransformerCase(name)
    let layer = try recorded.loaded(
      TransformerDecoderLayer(
        dimensions: 8, numHeads: 2, feedForwardDimensions: 12, normFirst: normFirst, seed: 1))
    let (x, memory) = (try recorded.input("x"), try recorded.input("memory"))
    let (value, pullback) = layer.valueWithPullback(x, memory: memory, memoryMask: Self.padding)
    let gradients = pullback(try recorded.outputGradient)
    #expect(layer(x, memory: memory, memoryMask: Self.padding) == value)
    try recorded.expect(
      output: value, parameters: gradients.parameters.parameters,
      inputs: ["x": gradients.input, "memory": gradients.memory])
  }
}
