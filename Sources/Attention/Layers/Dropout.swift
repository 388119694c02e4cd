/// Dropout (Srivastava et al. 2014):
///
///     y_i = 0 with probability p, else x_i ÷ (1 − p)
///
/// x of any shape → the same shape. PyTorch and MLX: `nn.Dropout`. A layer is a value and has no training mode: calls
/// that give a seed drop, calls that give none return x. Which elements are dropped follows from the seed and their
/// place alone, the same on every machine.
///
/// ```swift
/// let dropout = Dropout(0.1)
/// let y = dropout(x, seed: step)
/// ```
public struct Dropout: Sendable, Equatable {
  /// p, at least 0 and below 1.
  public var probability: Double

  /// It has no parameters to train.
  public init(_ probability: Double) {
    require(probability >= 0 && probability < 1, "Dropout: expected a probability in 0..<1, got \(probability)")
    self.probability = probability
  }

  /// x where `seed` is nil, else x with elements dropped.
  public func callAsFunction(_ x: Tensor, seed: UInt64?) -> Tensor {
    guard let seed, probability > 0 else { return x }
    return Tensor(Kernel.dropped(x.scalars, probability: probability, seed: seed), shape: x.shape)
  }

  /// The output, and the map of its gradient to that of x.
  public func valueWithPullback(
    _ x: Tensor, seed: UInt64?
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> Tensor) {
    let shape = x.shape
    return (
      self(x, seed: seed),
      { gradient in
        require(gradient.shape == shape, "Dropout: expected an output gradient \(shape), got \(gradient.shape)")
        return self(gradient, seed: seed)
      }
    )
  }
}

/// A seed for one of several places that drop in one call.
func dropoutSeed(_ seed: UInt64?, place: Int) -> UInt64? { seed.map { InitialGenerator.number(place, seed: ~$0) } }
