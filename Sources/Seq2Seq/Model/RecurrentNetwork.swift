import Attention

/// The state of a ``RecurrentNetwork`` between two steps, [L·directions, B, H]; c is an LSTM's only.
public struct RecurrentState: Sendable, Equatable {
  /// h.
  public var hidden: Tensor
  /// c.
  public var cell: Tensor?

  /// A state.
  public init(hidden: Tensor, cell: Tensor?) {
    self.hidden = hidden
    self.cell = cell
  }

  /// The same of rows `rows` of the batch.
  func selecting(_ rows: [Int]) -> Self {
    Self(hidden: hidden.selectingBatch(rows), cell: cell?.selectingBatch(rows))
  }
}

/// An ``LSTM`` or a ``GRU``.
public struct RecurrentNetwork: Sendable, Equatable {
  /// Which of the two.
  public var cell: ModelConfiguration.Cell
  /// The layers.
  public var layers: [RecurrentLayer]
  /// The probability of dropout between layers.
  public var dropout: Double

  /// Gradients of the parameters.
  public typealias Gradients = RecurrentGradients

  init(
    _ cell: ModelConfiguration.Cell, inputDimensions: Int, hiddenDimensions: Int, layers: Int, bidirectional: Bool,
    dropout: Double, seed: UInt64
  ) {
    self.cell = cell
    self.dropout = dropout
    self.layers =
      switch cell {
      case .lstm:
        LSTM(
          inputDimensions: inputDimensions, hiddenDimensions: hiddenDimensions, numLayers: layers,
          bidirectional: bidirectional, seed: seed
        ).layers
      case .gru:
        GRU(
          inputDimensions: inputDimensions, hiddenDimensions: hiddenDimensions, numLayers: layers,
          bidirectional: bidirectional, seed: seed
        ).layers
      }
  }

  private var lstm: LSTM { LSTM(layers: layers, dropout: dropout) }
  private var gru: GRU { GRU(layers: layers, dropout: dropout) }

  /// The output and the final state; see ``LSTM/callAsFunction(_:lengths:initialState:dropoutSeed:)``.
  func callAsFunction(
    _ x: Tensor, lengths: [Int]? = nil, initialState: RecurrentState? = nil
  ) -> (output: Tensor, state: RecurrentState) {
    switch cell {
    case .lstm:
      let (output, state) = lstm(x, lengths: lengths, initialState: initialState.map(LSTMState.init))
      return (output, RecurrentState(hidden: state.hidden, cell: state.cell))
    case .gru:
      let (output, state) = gru(x, lengths: lengths, initialState: initialState?.hidden)
      return (output, RecurrentState(hidden: state, cell: nil))
    }
  }

  typealias Pullback =
    @Sendable (_ output: Tensor, _ state: RecurrentState?) -> (
      parameters: Gradients, input: Tensor, initialState: RecurrentState
    )

  /// The same with the pullback.
  func valueWithPullback(
    _ x: Tensor, lengths: [Int]? = nil, initialState: RecurrentState? = nil, dropoutSeed: UInt64?
  ) -> (value: (output: Tensor, state: RecurrentState), pullback: Pullback) {
    switch cell {
    case .lstm:
      let (value, pullback) = lstm.valueWithPullback(
        x, lengths: lengths, initialState: initialState.map(LSTMState.init), dropoutSeed: dropoutSeed)
      return (
        (value.output, RecurrentState(hidden: value.state.hidden, cell: value.state.cell)),
        { output, state in
          let result = pullback(output, state.map(LSTMState.init))
          let initial = RecurrentState(hidden: result.initialState.hidden, cell: result.initialState.cell)
          return (result.parameters, result.input, initial)
        }
      )
    case .gru:
      let (value, pullback) = gru.valueWithPullback(
        x, lengths: lengths, initialState: initialState?.hidden, dropoutSeed: dropoutSeed)
      return (
        (value.output, RecurrentState(hidden: value.state, cell: nil)),
        { output, state in
          let result = pullback(output, state?.hidden)
          return (result.parameters, result.input, RecurrentState(hidden: result.initialState, cell: nil))
        }
      )
    }
  }
}

extension LSTMState {
  fileprivate init(_ state: RecurrentState) { self.init(hidden: state.hidden, cell: state.cell!) }
}

extension RecurrentGradients {
  /// The sum of two, layer by layer.
  static func + (left: Self, right: Self) -> Self {
    Self(
      layers: zip(left.layers, right.layers).map { a, b in
        RecurrentLayer(forward: a.forward + b.forward, reverse: a.reverse.map { $0 + b.reverse! })
      })
  }
}

extension RecurrentCell {
  fileprivate static func + (left: Self, right: Self) -> Self {
    Self(
      inputWeight: left.inputWeight + right.inputWeight, hiddenWeight: left.hiddenWeight + right.hiddenWeight,
      inputBias: left.inputBias.map { $0 + right.inputBias! },
      hiddenBias: left.hiddenBias.map { $0 + right.hiddenBias! })
  }
}
