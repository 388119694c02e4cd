import Attention

/// From the final state of the encoder to the first of the decoder, layer by layer:
///
///     s = tanh(W [h_forward; h_backward] + b)
///
/// and likewise for the cells of an LSTM. Without layers of its own it passes the state on as it is.
public struct Bridge: Sendable, Equatable {
  /// For h, one a layer; none where the state passes as it is.
  public var hidden: [Linear]
  /// For c; none for a GRU.
  public var cell: [Linear]
  /// The encoder's directions.
  let directions: Int

  /// Gradients of the layers.
  public struct Gradients: Sendable, Equatable {
    /// As the bridge's.
    public var hidden: [Linear.Gradients]
    /// As the bridge's.
    public var cell: [Linear.Gradients]
  }

  init(_ configuration: ModelConfiguration, seed: UInt64) {
    directions = configuration.bidirectional ? 2 : 1
    func layers(_ stream: UInt64) -> [Linear] {
      guard configuration.bidirectional else { return [] }
      return (0..<configuration.layers).map {
        var generator = SeededGenerator(seed: seed, stream: stream + UInt64($0))
        return Linear(configuration.encoderWidth, configuration.hiddenDimensions, seed: generator.next())
      }
    }
    hidden = layers(0)
    cell = configuration.cell == .lstm ? layers(1 << 32) : []
  }

  typealias Pullback = @Sendable (RecurrentState) -> (parameters: Gradients, state: RecurrentState)

  /// The decoder's first state, and the pullback.
  func valueWithPullback(_ state: RecurrentState) -> (value: RecurrentState, pullback: Pullback) {
    guard !hidden.isEmpty else {
      return (state, { (Gradients(hidden: [], cell: []), $0) })
    }
    let (h, hiddenPullback) = through(hidden, state.hidden)
    let cells = state.cell.map { through(cell, $0) }
    return (
      RecurrentState(hidden: h, cell: cells?.value),
      { gradient in
        let (hiddenLayers, hidden) = hiddenPullback(gradient.hidden)
        let cells = cells.map { $0.pullback(gradient.cell!) }
        return (
          Gradients(hidden: hiddenLayers, cell: cells?.layers ?? []),
          RecurrentState(hidden: hidden, cell: cells?.states)
        )
      }
    )
  }

  private func through(
    _ layers: [Linear], _ states: Tensor
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (layers: [Linear.Gradients], states: Tensor)) {
    let results = layers.indices.map { layers[$0].valueWithPullback(states.statesOfLayer($0, directions: directions)) }
    let values = results.map { $0.value.tanhOfRows() }
    let pullbacks = results.map(\.pullback)
    return (
      Tensor.statesOfLayers(values, directions: 1),
      { gradient in
        let gradients = pullbacks.indices.map { index in
          pullbacks[index](gradient.statesOfLayer(index, directions: 1).throughTanh(values[index]))
        }
        return (
          gradients.map(\.parameters), Tensor.statesOfLayers(gradients.map(\.input), directions: directions)
        )
      }
    )
  }
}
