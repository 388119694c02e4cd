/// Long short-term memory (Hochreiter & Schmidhuber 1997), with the gates of PyTorch's `nn.LSTM`:
///
///     i, f, o = σ(Wi x_t + bi + Wh h_{t−1} + bh)       g = tanh(Wi x_t + bi + Wh h_{t−1} + bh)
///     c_t = f ∘ c_{t−1} + i ∘ g                        h_t = o ∘ tanh(c_t)
///
/// each gate with its own rows of Wi and Wh. x [B, T, I] → output [B, T, directions·H], the h_t of the last layer, those
/// of both directions side by side, and the states h and c after each sequence's last step, [L·directions, B, H]. Layer
/// l reads what layer l − 1 put out, with dropout in between where a call gives a seed; the reverse direction begins at
/// each sequence's own end.
///
/// The paper's net input is x, its input and output gates are i and o, its cell state s is c; the forget gate f is of
/// Gers, Schmidhuber & Cummins 2000. MLX: `nn.LSTM`, one layer in one direction.
///
/// Steps beyond a sequence's length are not computed: their output is 0, and the final state is that after its last
/// step, which is the initial state for a sequence of length 0. A sequence has the same bits alone and in any batch.
///
/// ```swift
/// let encoder = LSTM(inputDimensions: 256, hiddenDimensions: 256, bidirectional: true, seed: 0)
/// let (output, state) = encoder(x, lengths: [17, 9, 12])
/// let (value, pullback) = encoder.valueWithPullback(x, lengths: [17, 9, 12])
/// let (parameters, input, initialState) = pullback(dOutput, nil)
/// ```
public struct LSTM: Sendable, Equatable {
  /// What a loss changes by with each parameter.
  public typealias Gradients = RecurrentGradients

  /// From the first to the last; each has the directions of the first.
  public var layers: [RecurrentLayer]
  /// The probability of dropout between layers.
  public var dropout: Double

  /// An LSTM of the given layers.
  public init(layers: [RecurrentLayer], dropout: Double = 0) {
    self.layers = layers
    self.dropout = dropout
    stack.check()
  }

  /// Weights and biases uniform in ±1/√H, as PyTorch's `nn.LSTM` draws them.
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
        .lstm, inputDimensions, hiddenDimensions, numLayers, bidirectional: bidirectional, bias: bias, seed: seed),
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

  /// The output and the final states.
  ///
  /// - Parameters:
  ///   - x: [B, T, I].
  ///   - lengths: The real steps of each sequence, 0...T in any order; nil = all T.
  ///   - initialState: h and c before the first step; nil = 0.
  ///   - dropoutSeed: Names what is dropped between layers; nil = nothing.
  public func callAsFunction(
    _ x: Tensor, lengths: [Int]? = nil, initialState: LSTMState? = nil, dropoutSeed: UInt64? = nil
  ) -> (output: Tensor, state: LSTMState) {
    let (output, final, _) = stack.forward(x, lengths: lengths, initial: initialState?.states, dropoutSeed: dropoutSeed)
    return (output, LSTMState(final))
  }

  /// The same, and the map of the gradients of output and final state (nil = 0) to those of the parameters, of x and of
  /// the initial state.
  public func valueWithPullback(
    _ x: Tensor, lengths: [Int]? = nil, initialState: LSTMState? = nil, dropoutSeed: UInt64? = nil
  ) -> (
    value: (output: Tensor, state: LSTMState),
    pullback:
      @Sendable (_ output: Tensor, _ state: LSTMState?) -> (
        parameters: Gradients, input: Tensor, initialState: LSTMState
      )
  ) {
    let stack = stack
    let (output, final, trace) = stack.forward(
      x, lengths: lengths, initial: initialState?.states, dropoutSeed: dropoutSeed)
    return (
      (output, LSTMState(final)),
      { gradient, state in
        let result = stack.pullback(trace, output: gradient, final: state?.states, dropoutSeed: dropoutSeed)
        return (result.parameters, result.input, LSTMState(result.initial))
      }
    )
  }

  private var stack: RecurrentStack { RecurrentStack(kind: .lstm, layers: layers, dropout: dropout) }
}

extension LSTM: ParameterContainer {
  /// PyTorch's names: see ``RecurrentGradients/parameters(naming:)``.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(layers: layers).parameters(naming: naming)
  }

  /// Takes PyTorch's names.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) { try layers.update(from: reader) }
}
