/// The parameters of one direction of one layer of an ``LSTM`` or ``GRU``, or their gradients. With K gates, 4 or 3, one
/// behind the other along the first axis:
public struct RecurrentCell: Sendable, Equatable {
  /// Wih, [K·H, I]: i, f, g, o of an LSTM, r, z, n of a GRU.
  public var inputWeight: Tensor
  /// Whh, [K·H, H].
  public var hiddenWeight: Tensor
  /// bih, [K·H]; nil without.
  public var inputBias: Tensor?
  /// bhh, [K·H]; nil without.
  public var hiddenBias: Tensor?

  /// A cell of the given parameters, or gradients.
  public init(inputWeight: Tensor, hiddenWeight: Tensor, inputBias: Tensor? = nil, hiddenBias: Tensor? = nil) {
    self.inputWeight = inputWeight
    self.hiddenWeight = hiddenWeight
    self.inputBias = inputBias
    self.hiddenBias = hiddenBias
  }
}

/// A layer of an ``LSTM`` or ``GRU``, or its gradients.
public struct RecurrentLayer: Sendable, Equatable {
  /// From the first element of a sequence to the last.
  public var forward: RecurrentCell
  /// From the last to the first; nil in a layer of one direction.
  public var reverse: RecurrentCell?

  /// A layer of one direction, or two.
  public init(forward: RecurrentCell, reverse: RecurrentCell? = nil) {
    self.forward = forward
    self.reverse = reverse
  }

  /// The directions that there are.
  var cells: [RecurrentCell] { [forward] + (reverse.map { [$0] } ?? []) }

  init(cells: [RecurrentCell]) { self.init(forward: cells[0], reverse: cells.count > 1 ? cells[1] : nil) }
}

/// What a loss changes by with each parameter of an ``LSTM`` or ``GRU``.
public struct RecurrentGradients: Sendable, Equatable {
  /// As the layer's.
  public var layers: [RecurrentLayer]

  /// Gradients of the given layers.
  public init(layers: [RecurrentLayer]) { self.layers = layers }
}

extension RecurrentGradients: NamedTensors {
  /// PyTorch's names: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, with `_reverse` behind them for the
  /// other direction. They serve under MLX's naming too, whose recurrent layers know neither layers nor directions.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    layers.enumerated().flatMap { index, layer in
      layer.cells.enumerated().flatMap { direction, cell in
        cell.named(suffix: recurrentSuffix(layer: index, direction: direction))
      }
    }
  }
}

/// Such as `_l0` and `_l1_reverse`.
private func recurrentSuffix(layer: Int, direction: Int) -> String { "_l\(layer)\(direction == 0 ? "" : "_reverse")" }

extension [RecurrentLayer] {
  mutating func update(from reader: ParameterReader) throws(ParameterError) {
    for index in indices {
      try self[index].forward.update(from: reader, suffix: recurrentSuffix(layer: index, direction: 0))
      try self[index].reverse?.update(from: reader, suffix: recurrentSuffix(layer: index, direction: 1))
    }
  }
}

extension RecurrentCell {
  fileprivate func named(suffix: String) -> [NamedTensor] {
    [("weight_ih", inputWeight), ("weight_hh", hiddenWeight), ("bias_ih", inputBias), ("bias_hh", hiddenBias)]
      .compactMap { name, tensor in tensor.map { NamedTensor(name + suffix, $0) } }
  }

  fileprivate mutating func update(from reader: ParameterReader, suffix: String) throws(ParameterError) {
    inputWeight = try reader.tensor("weight_ih" + suffix, shape: inputWeight.shape)
    hiddenWeight = try reader.tensor("weight_hh" + suffix, shape: hiddenWeight.shape)
    if let old = inputBias { inputBias = try reader.tensor("bias_ih" + suffix, shape: old.shape) }
    if let old = hiddenBias { hiddenBias = try reader.tensor("bias_hh" + suffix, shape: old.shape) }
  }
}
