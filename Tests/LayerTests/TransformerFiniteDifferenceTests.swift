import Attention
import Testing

/// Gradients of whole layers, dropout included, against finite differences: what PyTorch cannot be asked, because its
/// dropout draws other numbers.
@Suite struct TransformerFiniteDifferenceTests {
  /// Σ y·weights in `Double`.
  private func loss(_ y: Tensor, _ weights: Tensor) -> Double {
    zip(y.scalars, weights.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Compares ⟨gradient, direction⟩ with central differences of step h and h/2 along the direction, extrapolated, for the
  /// h of the smallest bound.
  ///
  /// What is left of the truncation is below the difference of the two; the loss is off by rounding, γ_n·Σ|y·weights|
  /// with n the `terms` of the sums on the way to y, divided by the step.
  private func check(
    _ gradient: Double, terms: Int, size: Double, _ at: (Float) -> Double, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    func difference(_ h: Float) -> (estimate: Double, bound: Double) {
      let wide = (at(h) - at(-h)) / Double(2 * h)
      let narrow = (at(h / 2) - at(-h / 2)) / Double(h)
      return ((4 * narrow - wide) / 3, (narrow - wide).magnitude + 2 * γ(terms) * size / Double(h))
    }
    let (estimate, bound) = [0x1p-4, 0x1p-5, 0x1p-6, 0x1p-7].map(difference).min { $0.bound < $1.bound }!
    #expect((gradient - estimate).magnitude <= bound, "\(name)", sourceLocation: sourceLocation)
    #expect(gradient.magnitude > 10 * bound, "\(name) proves nothing", sourceLocation: sourceLocation)
  }

  private func moved(_ tensor: Tensor, _ direction: Tensor, _ step: Float) -> Tensor {
    Tensor(zip(tensor.scalars, direction.scalars).map { $0 + step * $1 }, shape: tensor.shape)
  }

  /// The sign of the gradient, so that no direction is flat.
  private func direction(_ gradient: Tensor) -> Tensor {
    let size = Float(gradient.count).squareRoot()
    return Tensor(gradient.scalars.map { ($0 > 0 ? 1 : -1) / size }, shape: gradient.shape)
  }

  private func dot(_ a: Tensor, _ b: Tensor) -> Double { loss(a, b) }

  @Test(arguments: [false, true]) func encoderLayer(normFirst: Bool) throws {
    let layer = TransformerEncoderLayer(
      dimensions: 8, numHeads: 2, feedForwardDimensions: 12, activation: .gelu, dropout: 0.25, normFirst: normFirst,
      rotary: RotaryEmbedding(dimensions: 4), seed: 3)
    let x = Tensor.random([2, 5, 8], seed: 1)
    let dy = Tensor.random([2, 5, 8], seed: 2)
    let mask: AttentionMask = .causal & .keyLengths([5, 3])
    let (value, pullback) = layer.valueWithPullback(x, mask: mask, dropoutSeed: 9)
    #expect(value != layer(x, mask: mask))
    #expect(value == layer(x, mask: mask, dropoutSeed: 9))
    let gradients = pullback(dy)
    let size = zip(value.scalars, dy.scalars).reduce(0) { $0 + Double(($1.0 * $1.1).magnitude) }
    let terms = layer.parameters.reduce(0) { $0 + $1.tensor.shape.reduce(0, +) }

    let input = direction(gradients.input)
    check(
      dot(gradients.input, input), terms: terms, size: size,
      { loss(layer(moved(x, input, $0), mask: mask, dropoutSeed: 9), dy) }, "input")
    #expect(gradients.parameters.parameters.count == 12)
    checkParameters(of: layer, gradients.parameters, terms: terms, size: size) {
      loss($0(x, mask: mask, dropoutSeed: 9), dy)
    }
  }

  /// Each parameter in turn moved along the signs of its gradient.
  private func checkParameters<Layer: ParameterContainer>(
    of layer: Layer, _ gradients: some NamedTensors, terms: Int, size: Double, loss: (Layer) -> Double
  ) {
    let named = gradients.parameters
    #expect(named.map(\.name) == layer.parameters.map(\.name))
    for (index, gradient) in named.enumerated() {
      let way = direction(gradient.tensor)
      var other = layer
      check(
        dot(gradient.tensor, way), terms: terms, size: size,
        { step in
          var parameters = layer.parameters
          parameters[index].tensor = moved(parameters[index].tensor, way, step)
          try! other.load(from: parameters)
          return loss(other)
        }, gradient.name)
    }
  }

  @Test(arguments: [false, true]) func decoderLayer(normFirst: Bool) throws {
    let layer = TransformerDecoderLayer(
      dimensions: 8, numHeads: 2, feedForwardDimensions: 12, activation: .geluTanh, dropout: 0.25,
      normFirst: normFirst, seed: 3)
    let (x, memory) = (Tensor.random([2, 4, 8], seed: 1), Tensor.random([2, 5, 8], seed: 4))
    let dy = Tensor.random([2, 4, 8], seed: 2)
    let (value, pullback) = layer.valueWithPullback(x, memory: memory, dropoutSeed: 9)
    #expect(value != layer(x, memory: memory))
    #expect(value == layer(x, memory: memory, dropoutSeed: 9))
    let gradients = pullback(dy)
    let size = zip(value.scalars, dy.scalars).reduce(0) { $0 + Double(($1.0 * $1.1).magnitude) }
    let terms = layer.parameters.reduce(0) { $0 + $1.tensor.shape.reduce(0, +) }
    let (input, context) = (direction(gradients.input), direction(gradients.memory))
    check(
      dot(gradients.input, input), terms: terms, size: size,
      { loss(layer(moved(x, input, $0), memory: memory, dropoutSeed: 9), dy) }, "input")
    check(
      dot(gradients.memory, context), terms: terms, size: size,
      { loss(layer(x, memory: moved(memory, context, $0), dropoutSeed: 9), dy) }, "memory")
    #expect(gradients.parameters.parameters.count == 18)
    checkParameters(of: layer, gradients.parameters, terms: terms, size: size) {
      loss($0(x, memory: memory, dropoutSeed: 9), dy)
    }
  }
}
