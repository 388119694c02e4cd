/// The gated recurrent unit (Cho et al. 2014, arXiv:1406.1078), with the gates of PyTorch's `nn.GRU`:
///
///     r, z = σ(Wi x_t + bi + Wh h_{t−1} + bh)          n = tanh(Wi x_t + bi + r ∘ (Wh h_{t−1} + bh))
///     h_t = (1 − z) ∘ n + z ∘ h_{t−1}
///
/// each gate with its own rows of Wi and Wh. x [B, T, I] → output [B, T, directions·H], the h_t of the last layer, those
/// of both directions side by side, and the state h after each sequence's last step, [L·directions, B, H]. Layer l reads
/// what layer l − 1 put out, with dropout in between where a call gives a seed; the reverse direction begins at each
/// sequence's own end.
///
/// The paper's reset gate is r, its update gate z, its candidate h̃ is n, and it takes U(r ∘ h) where this and cuDNN take
/// r ∘ (U h): one product for all gates. MLX: `nn.GRU`, one layer in one direction.
///
/// Steps beyond a sequence's length are not computed: their output is 0, and the final state is that after its last
/// step, which is the initial state for a sequence of length 0. A sequence has the same bits alone and in any batch.
///
/// ```swift
/// let encoder = GRU(inputDimensions: 256, hiddenDimensions: 256, bidirectional: true, seed: 0)
/// let (output, state) = encoder(x, lengths: [17, 9, 12])
/// let (value, pullback) = encoder.valueWithPullback(x, lengths: [17, 9, 12])
/// let (parameters, input, initialState) = pullback(dOutput, nil)
/// ```
public struct GRU: Sendable, Equatable {
  /// What a loss changes by with each parameter.
  public typealias Gradients = RecurrentGradients

  /// From the first to the last; each has the directions of the first.
  public var layers: [RecurrentLayer]
  /// The probability of dropout between layers.
  public var dropout: Double

  /// A GRU of the given layers.
  public init(layers: [RecurrentLayer], dropout: Double = 0) {
    self.layers = layers
    self.dropout = dropout
    stack.check()
  }

  /// Weights and biases uniform in ±1/√H, as PyTorch's `nn.GRU` draws them.
  ///
  /// - Parameters:
  ///   - inputDimensions: I.
  ///   - hiddenDimensions: H.
  ///   - numLayers: L.
  ///   - bidirectional: Whether each layer runs in both directions.
  ///   - bias: Whether there are the two biases bi and bh.
  ///   - dropout: The probability of dropout between layers.
  ///   - seed: Equal seeds make equal layers.
  public init(
    inputDimensions: Int, hiddenDimensions: Int, numLayers: Int = 1, bidirectional: Bool = false, bias: Bool = true,
    dropout: Double = 0, seed: UInt64
  ) {
    self.init(
      layers: RecurrentStack.initialLayers(
        .gru, inputDimensions, hiddenDimensions, numLayers, bidirectional: bidirectional, bias: bias, seed: seed),
      dropout: dropout)
  }

  /// I.
  public var inputDimensions: Int { stack.inputDimensions }
  /// H.
  public var hiddenDimensions: Int { stack.hiddenDimensions }
  /// directions·H.
  public var outputDimensions: Int { stack.outputDimensions }
  /// Whether there are two directions.
  public var isBidirectional: Bool { stack.directions == 2 }

  /// The output and the final state.
  ///
  /// - Parameters:
  ///   - x: [B, T, I].
  ///   - lengths: The real steps of each sequence, 0...T in any order; nil = all T.
  ///   - initialState: h before the first step, [L·directions, B, H]; nil = 0.
  ///   - dropoutSeed: Names what is dropped between layers; nil = nothing.
  public func callAsFunction(
    _ x: Tensor, lengths: [Int]? = nil, initialState: Tensor? = nil, dropoutSeed: UInt64? = nil
  ) -> (output: Tensor, state: Tensor) {
    let (output, final, _) = stack.forward(
      x, lengths: lengths, initial: initialState.map { RecurrentStack.States(hidden: $0) }, dropoutSeed: dropoutSeed)
    return (output, final.hidden)
  }

  /// The same, and the map of the gradients of output and final state (nil = 0) to those of the parameters, of x and of
  /// the initial state.
  public func valueWithPullback(
    _ x: Tensor, lengths: [Int]? = nil, initialState: Tensor? = nil, dropoutSeed: UInt64? = nil
  ) -> (
    value: (output: Tensor, state: Tensor),
    pullback:
      @Sendable (_ output: Tensor, _ state: Tensor?) -> (
        parameters: Gradients, input: Tensor, initialState: Tensor
      )
  ) {
    let stack = stack
    let (output, final, trace) = stack.forward(
      x, lengths: lengths, initial: initialState.map { RecurrentStack.States(hidden: $0) }, dropoutSeed: dropoutSeed)
    return (
      (output, final.hidden),
      { gradient, state in
        let result = stack.pullback(
          trace, output: gradient, final: state.map { RecurrentStack.States(hidden: $0) }, dropoutSeed: dropoutSeed)
        return (result.parameters, result.input, result.initial.hidden)
      }
    )
  }

  private var stack: RecurrentStack { RecurrentStack(kind: .gru, layers: layers, dropout: dropout) }
}

extension GRU: ParameterContainer {
  /// PyTorch's names: see ``RecurrentGradients/parameters(naming:)``.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(layers: layers).parameters(naming: naming)
  }

  /// Takes PyTorch's names.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) { try layers.update(from: reader) }
}
