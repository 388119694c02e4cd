extension LocalAttention: NamedTensors where Score: NamedTensors {
  /// Those of the layer that scores, under its names: the wrapper and the layer read each other's files.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { score.parameters(naming: naming) }
}

extension LocalAttention: ParameterContainer where Score: ParameterContainer {
  /// Hands all to the layer that scores.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) { try score.update(from: reader) }
}

extension HardAttention: NamedTensors where Score: NamedTensors {
  /// Those of the soft layer, under its names: the wrapper and the layer read each other's files.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { score.parameters(naming: naming) }
}

extension HardAttention: ParameterContainer where Score: ParameterContainer {
  /// Hands all to the soft layer.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) { try score.update(from: reader) }
}

extension PredictiveLocalAttention: NamedTensors where Score: NamedTensors {
  /// Torch: `W_p.weight` [A, Hq] and `v_p.weight` [1, A], after the paper. MLX: `position_proj.weight` and
  /// `position_score_proj.weight`. Those of the layer that scores are in `score`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    positionParameters(positionWeight, positionVector, naming)
      + score.parameters(naming: naming).scoped(to: "score")
  }
}

extension PredictiveLocalAttention: ParameterContainer where Score: ParameterContainer {
  /// Takes the names of either naming, name by name.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    positionWeight = try reader.tensor(
      "W_p.weight", shape: positionWeight.shape, alternatives: ["position_proj.weight"])
    positionVector = try reader.vector("v_p.weight", "position_score_proj.weight", count: positionVector.count)
    try score.update(from: reader.scoped(to: "score"))
  }
}

extension PredictiveLocalAttention.Gradients: NamedTensors where Score.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    positionParameters(positionWeight, positionVector, naming)
      + score.parameters(naming: naming).scoped(to: "score")
  }
}

private func positionParameters(_ weight: Tensor, _ vector: Tensor, _ naming: ParameterNaming) -> [NamedTensor] {
  let isMLX = naming == .mlx
  return [
    NamedTensor(isMLX ? "position_proj.weight" : "W_p.weight", weight),
    NamedTensor(isMLX ? "position_score_proj.weight" : "v_p.weight", vector.asRow),
  ]
}
