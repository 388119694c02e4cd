import Attention
import Foundation
import Safetensors
import Testing

/// A state of either kind, so that one test serves both.
struct RecurrentState: Equatable {
  var hidden: Tensor
  var cell: Tensor?

  init(_ hidden: Tensor, _ cell: Tensor? = nil) {
    self.hidden = hidden
    self.cell = cell
  }

  init(_ state: LSTMState) { self.init(state.hidden, state.cell) }

  var lstm: LSTMState { LSTMState(hidden: hidden, cell: cell!) }

  var named: [(name: String, tensor: Tensor)] { [("hidden", hidden)] + (cell.map { [("cell", $0)] } ?? []) }
}

/// An LSTM or a GRU.
enum AnyRecurrent: Equatable {
  case lstm(LSTM)
  case gru(GRU)

  typealias Gradients = (parameters: RecurrentGradients, input: Tensor, initial: RecurrentState)

  init(
    isLSTM: Bool, _ inputs: Int, _ hidden: Int, layers: Int = 1, bidirectional: Bool = false, bias: Bool = true,
    dropout: Double = 0, seed: UInt64
  ) {
    self =
      isLSTM
      ? .lstm(
        LSTM(
          inputDimensions: inputs, hiddenDimensions: hidden, numLayers: layers, bidirectional: bidirectional,
          bias: bias, dropout: dropout, seed: seed))
      : .gru(
        GRU(
          inputDimensions: inputs, hiddenDimensions: hidden, numLayers: layers, bidirectional: bidirectional,
          bias: bias, dropout: dropout, seed: seed))
  }

  var isLSTM: Bool { if case .lstm = self { true } else { false } }

  var layers: [RecurrentLayer] {
    switch self {
    case .lstm(let layer): layer.layers
    case .gru(let layer): layer.layers
    }
  }

  var parameters: [NamedTensor] {
    switch self {
    case .lstm(let layer): layer.parameters
    case .gru(let layer): layer.parameters
    }
  }

  func loaded(from file: SafetensorsFile, prefix: String) throws -> AnyRecurrent {
    switch self {
    case .lstm(let layer): .lstm(try layer.loading(from: file, prefix: prefix))
    case .gru(let layer): .gru(try layer.loading(from: file, prefix: prefix))
    }
  }

  func with(_ parameters: [NamedTensor]) -> AnyRecurrent {
    switch self {
    case .lstm(var layer):
      try! layer.load(from: parameters)
      return .lstm(layer)
    case .gru(var layer):
      try! layer.load(from: parameters)
      return .gru(layer)
    }
  }

  func callAsFunction(
    _ x: Tensor, lengths: [Int]? = nil, initial: RecurrentState? = nil, dropoutSeed: UInt64? = nil
  ) -> (output: Tensor, state: RecurrentState) {
    switch self {
    case .lstm(let layer):
      let (output, state) = layer(x, lengths: lengths, initialState: initial?.lstm, dropoutSeed: dropoutSeed)
      return (output, RecurrentState(state))
    case .gru(let layer):
      let (output, state) = layer(x, lengths: lengths, initialState: initial?.hidden, dropoutSeed: dropoutSeed)
      return (output, RecurrentState(state))
    }
  }

  func valueWithPullback(
    _ x: Tensor, lengths: [Int]? = nil, initial: RecurrentState? = nil, dropoutSeed: UInt64? = nil
  ) -> (value: (output: Tensor, state: RecurrentState), pullback: (Tensor, RecurrentState?) -> Gradients) {
    switch self {
    case .lstm(let layer):
      let (value, pullback) = layer.valueWithPullback(
        x, lengths: lengths, initialState: initial?.lstm, dropoutSeed: dropoutSeed)
      return (
        (value.output, RecurrentState(value.state)),
        { output, state in
          let gradients = pullback(output, state?.lstm)
          return (gradients.parameters, gradients.input, RecurrentState(gradients.initialState))
        }
      )
    case .gru(let layer):
      let (value, pullback) = layer.valueWithPullback(
        x, lengths: lengths, initialState: initial?.hidden, dropoutSeed: dropoutSeed)
      return (
        (value.output, RecurrentState(value.state)),
        { output, state in
          let gradients = pullback(output, state?.hidden)
          return (gradients.parameters, gradients.input, RecurrentState(gradients.initialState))
        }
      )
    }
  }

  /// How many roundings lie one behind the other on the way to a gradient: the terms of the sums with every weight, at
  /// every step, and those over all rows.
  func terms(batch: Int, steps: Int) -> Int {
    steps * parameters.reduce(0) { $0 + $1.tensor.shape.reduce(0, +) } + batch * steps
  }
}
