/// The states h and c of an ``LSTM`` between two steps, or their gradients: those of layer l in direction d, 0 = forward,
/// are at index l·directions + d, as in PyTorch.
public struct LSTMState: Sendable, Equatable {
  /// h, [L·directions, B, H].
  public var hidden: Tensor
  /// c, [L·directions, B, H].
  public var cell: Tensor

  /// A state of the given tensors, which have one shape.
  public init(hidden: Tensor, cell: Tensor) {
    require(
      hidden.rank == 3 && hidden.shape == cell.shape,
      "LSTMState: expected hidden and cell [L·directions, B, H], got \(hidden.shape) and \(cell.shape)")
    self.hidden = hidden
    self.cell = cell
  }

  init(_ states: RecurrentStack.States) { self.init(hidden: states.hidden, cell: states.cell!) }

  var states: RecurrentStack.States { RecurrentStack.States(hidden: hidden, cell: cell) }
}
