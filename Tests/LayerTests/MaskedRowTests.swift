import Attention
import Testing

/// NaN in positions that are masked as keys and as queries, whose outputs do not count, reaches no gradient of a
/// parameter and none of another position.
@Suite struct MaskedRowTests {
  private static let lengths = [6, 4]

  /// Padding is hidden as keys, and sees nothing as queries: a query that saw something would be NaN, and the gradients
  /// of what it sees with it, as the formula says.
  private static var mask: AttentionMask {
    .keyLengths(lengths) & .boolean((0..<12).map { $0 % 6 < lengths[$0 / 6] }, shape: [2, 1, 6, 1])
  }

  private func padded(_ x: Tensor, with filler: Float) -> Tensor {
    let width = x.shape[2]
    return Tensor(
      x.scalars.enumerated().map { $0 / width % 6 < Self.lengths[$0 / (6 * width)] ? $1 : filler }, shape: x.shape)
  }

  /// Runs a layer over padding of zeros and of NaN; `pullback` returns the gradients of parameters and inputs.
  private func expectNoLeak(
    _ layer: String, _ valueWithPullback: (Tensor) -> (value: Tensor, pullback: (Tensor) -> ([NamedTensor], Tensor)),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let x = Tensor.random([2, 6, 8], seed: 1)
    let clean = valueWithPullback(padded(x, with: 0))
    let outputGradient = padded(Tensor.random(clean.value.shape, seed: 2), with: 0)
    let (parameters, input) = clean.pullback(outputGradient)
    // Softmax does not see a bias of the keys: its gradient is 0 but for rounding.
    for parameter in parameters where parameter.name != "key_proj.bias" {
      #expect(parameter.tensor.scalars.contains { $0 != 0 }, "\(parameter.name)", sourceLocation: sourceLocation)
    }
    for filler in [Float.nan, .infinity] {
      let dirty = valueWithPullback(padded(x, with: filler))
      #expect(
        padded(dirty.value, with: 0) == padded(clean.value, with: 0), "\(layer)", sourceLocation: sourceLocation)
      let (others, otherInput) = dirty.pullback(outputGradient)
      for (own, other) in zip(parameters, others) {
        #expect(own == other, "\(layer), \(filler), \(own.name)", sourceLocation: sourceLocation)
      }
      #expect(otherInput == input, "\(layer), \(filler)", sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: [false, true]) func encoderLayer(normFirst: Bool) {
    for activation in Activation.allCases {
      let layer = TransformerEncoderLayer(
        dimensions: 8, numHeads: 2, activation: activation, dropout: 0.25, normFirst: normFirst,
        rotary: RotaryEmbedding(dimensions: 4), seed: 3)
      expectNoLeak("encoder layer, \(activation)") { x in
        let (value, pullback) = layer.valueWithPullback(x, mask: Self.mask, dropoutSeed: 4)
        return (
          value,
          {
            let gradients = pullback($0); return (gradients.parameters.parameters, gradients.input)
          }
        )
      }
    }
  }

  /// The padding of the sequence, and that of the memory.
  @Test(arguments: [false, true]) func decoderLayer(normFirst: Bool) {
    let layer = TransformerDecoderLayer(dimensions: 8, numHeads: 2, normFirst: normFirst, seed: 3)
    let memory = Tensor.random([2, 6, 8], seed: 5)
    expectNoLeak("decoder layer") { x in
      let (value, pullback) = layer.valueWithPullback(
        x, memory: padded(memory, with: x[1, 5, 0]), mask: Self.mask, memoryMask: Self.mask)
      return (
        value,
        {
          let gradients = pullback($0); return (gradients.parameters.parameters, gradients.input)
        }
      )
    }
  }

  @Test func attention() {
    let heads = MultiHeadAttention(dimensions: 8, numHeads: 2, rotary: RotaryEmbedding(dimensions: 4), seed: 3)
    expectNoLeak("heads") { x in
      let (value, pullback) = heads.valueWithPullback(x, keys: x, values: x, mask: Self.mask)
      return (
        value,
        {
          let gradients = pullback($0); return (gradients.parameters.parameters, gradients.keys)
        }
      )
    }
    let single = SelfAttention(dimensions: 8, bias: true, seed: 3)
    expectNoLeak("self-attention") { x in
      let (value, pullback) = single.valueWithPullback(x, mask: Self.mask)
      return (
        value,
        {
          let gradients = pullback($0); return (gradients.parameters.parameters, gradients.input)
        }
      )
    }
  }

  @Test func positionWiseLayers() {
    for activation in Activation.allCases {
      let layer = FeedForward(dimensions: 8, hiddenDimensions: 12, activation: activation, seed: 3)
      expectNoLeak("feed-forward, \(activation)") { x in
        let (value, pullback) = layer.valueWithPullback(x)
        return (
          value,
          {
            let gradients = pullback($0); return (gradients.parameters.parameters, gradients.input)
          }
        )
      }
    }
    let norm = LayerNorm(8)
    expectNoLeak("norm") { x in
      let (value, pullback) = norm.valueWithPullback(x)
      return (
        value,
        {
          let gradients = pullback($0); return (gradients.parameters.parameters, gradients.input)
        }
      )
    }
  }

  /// Where the gradient of the output is not zero, what x holds counts.
  @Test func rowsThatCountPropagate() {
    var x = Tensor.random([2, 6, 8], seed: 1)
    x[0, 2, 3] = .nan
    let layer = Linear(8, 3, seed: 1)
    let gradients = layer.valueWithPullback(x).pullback(Tensor(repeating: 1, shape: [2, 6, 3])).parameters
    for (index, number) in gradients.weight.scalars.enumerated() { #expect(number.isNaN == (index % 8 == 3)) }
    let norm = LayerNorm(8).valueWithPullback(x).pullback(Tensor(repeating: 1, shape: [2, 6, 8]))
    #expect(
      norm.parameters.weight!.scalars.allSatisfy(\.isNaN) && norm.input[0, 2, 0].isNaN && !norm.input[0, 1, 0].isNaN)
  }
}
