/// An affine layer:
///
///     y = x·Wᵀ + b
///
/// x [..., in], W [out, in], b [out] → y [..., out]. PyTorch and MLX: `nn.Linear`; Keras: `Dense`, with W transposed.
///
/// ```swift
/// let layer = Linear(512, 256, seed: 0)
/// let y = layer(x)
/// let (value, pullback) = layer.valueWithPullback(x)
/// let (parameters, input) = pullback(dy)  // parameters.weight, parameters.bias
/// ```
public struct Linear: Sendable, Equatable {
  /// W, [out, in].
  public var weight: Tensor
  /// b, [out]; nil without.
  public var bias: Tensor?

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// [out, in].
    public var weight: Tensor
    /// [out]; nil without a bias.
    public var bias: Tensor?
  }

  /// A layer of the given parameters, [out, in] and [out].
  public init(weight: Tensor, bias: Tensor? = nil) {
    require(weight.rank == 2, "Linear: expected a weight [out, in], got \(weight.shape)")
    require(
      bias == nil || bias!.shape == [weight.shape[0]],
      "Linear: expected a bias [\(weight.shape[0])] for a weight \(weight.shape), got \(bias!.shape)")
    self.weight = weight
    self.bias = bias
  }

  /// Weights and biases uniform in ±1/√in, as PyTorch's `nn.Linear` draws them (Kaiming-uniform with a = √5).
  public init(_ inputDimensions: Int, _ outputDimensions: Int, bias: Bool = true, seed: UInt64) {
    var generator = InitialGenerator(seed: seed)
    self.init(inputDimensions, outputDimensions, bias: bias, using: &generator)
  }

  init(_ inputDimensions: Int, _ outputDimensions: Int, bias: Bool = true, using generator: inout InitialGenerator) {
    require(
      inputDimensions > 0 && outputDimensions > 0,
      "Linear: expected positive dimensions, got \(inputDimensions) and \(outputDimensions)")
    let bound = 1 / Double(inputDimensions).squareRoot()
    weight = .uniform([outputDimensions, inputDimensions], bound: bound, using: &generator)
    self.bias = bias ? .uniform([outputDimensions], bound: bound, using: &generator) : nil
  }

  /// in.
  public var inputDimensions: Int { weight.shape[1] }
  /// out.
  public var outputDimensions: Int { weight.shape[0] }

  /// [..., in] → [..., out].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    require(
      x.rank >= 1 && x.shape[x.rank - 1] == inputDimensions,
      "Linear: expected [..., \(inputDimensions)], got \(x.shape)")
    let product = x.timesTransposed(weight)
    return bias.map { product.addingToRows($0) } ?? product
  }

  /// The output, and the map of its gradient to those of the parameters and of x. A row of zeros in the gradient, as
  /// masked rows have, adds nothing, whatever x holds there.
  public func valueWithPullback(
    _ x: Tensor
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    let value = self(x)
    let shape = value.shape
    return (
      value,
      { gradient in
        require(gradient.shape == shape, "Linear: expected an output gradient \(shape), got \(gradient.shape)")
        return (
          Gradients(weight: gradient.transposedTimesVisible(x), bias: bias == nil ? nil : gradient.summedOverRows()),
          gradient.times(weight)
        )
      }
    )
  }
}

extension Linear: ParameterContainer {
  /// `weight` and `bias`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { mirror.parameters(naming: naming) }

  var mirror: Gradients { Gradients(weight: weight, bias: bias) }

  /// Takes `weight` and, where the layer has one, `bias`.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    weight = try reader.tensor("weight", shape: weight.shape)
    if let old = bias { bias = try reader.tensor("bias", shape: old.shape) }
  }
}

extension Linear.Gradients: NamedTensors {
  /// `weight` and `bias`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
  }
}
