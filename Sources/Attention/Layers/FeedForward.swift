/// The position-wise feed-forward network (Vaswani et al. 2017, arXiv:1706.03762, section 3.3):
///
///     y = σ(x·W1ᵀ + b1)·W2ᵀ + b2
///
/// x [..., E], W1 [F, E], W2 [E, F] → y [..., E]. PyTorch's and MLX's transformer layers call the two `linear1` and
/// `linear2`.
///
/// ```swift
/// let layer = FeedForward(dimensions: 512, hiddenDimensions: 2048, activation: .gelu, seed: 0)
/// let y = layer(x)
/// ```
public struct FeedForward: Sendable, Equatable {
  /// W1 and b1.
  public var linear1: Linear
  /// W2 and b2.
  public var linear2: Linear
  /// σ.
  public var activation: Activation
  /// Between σ and W2, in calls that give a seed.
  public var dropout: Dropout

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// As the layer's.
    public var linear1: Linear.Gradients
    /// As the layer's.
    public var linear2: Linear.Gradients
  }

  /// Two layers as ``Linear`` draws them.
  public init(
    dimensions: Int, hiddenDimensions: Int, activation: Activation = .relu, dropout: Double = 0, bias: Bool = true,
    seed: UInt64
  ) {
    var generator = InitialGenerator(seed: seed)
    self.init(
      dimensions: dimensions, hiddenDimensions: hiddenDimensions, activation: activation, dropout: dropout,
      bias: bias, using: &generator)
  }

  init(
    dimensions: Int, hiddenDimensions: Int, activation: Activation, dropout: Double, bias: Bool,
    using generator: inout InitialGenerator
  ) {
    linear1 = Linear(dimensions, hiddenDimensions, bias: bias, using: &generator)
    linear2 = Linear(hiddenDimensions, dimensions, bias: bias, using: &generator)
    self.activation = activation
    self.dropout = Dropout(dropout)
  }

  /// [..., E] → [..., E].
  public func callAsFunction(_ x: Tensor, dropoutSeed: UInt64? = nil) -> Tensor {
    check(x)
    return linear2(dropout(activation(linear1(x)), seed: dropoutSeed))
  }

  /// The output, and the map of its gradient to those of the parameters and of x.
  public func valueWithPullback(
    _ x: Tensor, dropoutSeed: UInt64? = nil
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    check(x)
    let (hidden, pullback1) = linear1.valueWithPullback(x)
    let (active, activationPullback) = activation.valueWithPullback(hidden)
    let (kept, dropoutPullback) = dropout.valueWithPullback(active, seed: dropoutSeed)
    let (value, pullback2) = linear2.valueWithPullback(kept)
    return (
      value,
      { gradient in
        let second = pullback2(gradient)
        let first = pullback1(activationPullback(dropoutPullback(second.input)))
        return (Gradients(linear1: first.parameters, linear2: second.parameters), first.input)
      }
    )
  }

  private func check(_ x: Tensor) {
    require(
      x.rank >= 1 && x.shape[x.rank - 1] == linear1.inputDimensions,
      "FeedForward: expected [..., \(linear1.inputDimensions)], got \(x.shape)")
  }
}

extension FeedForward: ParameterContainer {
  /// `linear1` and `linear2`, with `weight` and `bias` each.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { mirror.parameters(naming: naming) }

  var mirror: Gradients { Gradients(linear1: linear1.mirror, linear2: linear2.mirror) }

  /// Takes `linear1` and `linear2`.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    try linear1.update(from: reader.scoped(to: "linear1"))
    try linear2.update(from: reader.scoped(to: "linear2"))
  }
}

extension FeedForward.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    linear1.parameters(naming: naming).scoped(to: "linear1")
      + linear2.parameters(naming: naming).scoped(to: "linear2")
  }
}
