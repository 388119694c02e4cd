extension MultiHeadAttention: ParameterContainer {
  /// PyTorch's names: `in_proj_weight` where all inputs have E coordinates, else `q_proj_weight`, `k_proj_weight` and
  /// `v_proj_weight`; `in_proj_bias`; `bias_k` and `bias_v`, [1, 1, G·D]; `out_proj.weight` and `out_proj.bias`. MLX's:
  /// `query_proj`, `key_proj`, `value_proj` and `out_proj` with `weight` and `bias` each.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { mirror.parameters(naming: naming) }

  var mirror: Gradients {
    Gradients(
      queryProjection: queryProjection.mirror, keyProjection: keyProjection.mirror,
      valueProjection: valueProjection.mirror, outputProjection: outputProjection.mirror, biasKey: biasKey,
      biasValue: biasValue)
  }

  /// Takes MLX's names where `query_proj.weight` is there, else PyTorch's.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    if reader.contains("query_proj.weight") {
      try queryProjection.update(from: reader.scoped(to: "query_proj"))
      try keyProjection.update(from: reader.scoped(to: "key_proj"))
      try valueProjection.update(from: reader.scoped(to: "value_proj"))
    } else {
      try updateInputProjections(from: reader)
    }
    if let old = biasKey { biasKey = try reader.row("bias_k", count: old.count) }
    if let old = biasValue { biasValue = try reader.row("bias_v", count: old.count) }
    try outputProjection.update(from: reader.scoped(to: "out_proj"))
  }

  private mutating func updateInputProjections(from reader: ParameterReader) throws(ParameterError) {
    let weights = [queryProjection.weight, keyProjection.weight, valueProjection.weight]
    let rows = weights.reduce(0) { $0 + $1.shape[0] }
    if mirror.isPacked {
      let packed = try reader.tensor(
        "in_proj_weight", shape: [rows, dimensions], alternatives: ["query_proj.weight"])
      let parts = packed.unstacked(as: weights.map(\.shape))
      (queryProjection.weight, keyProjection.weight, valueProjection.weight) = (parts[0], parts[1], parts[2])
    } else {
      queryProjection.weight = try reader.tensor(
        "q_proj_weight", shape: weights[0].shape, alternatives: ["query_proj.weight"])
      keyProjection.weight = try reader.tensor("k_proj_weight", shape: weights[1].shape)
      valueProjection.weight = try reader.tensor("v_proj_weight", shape: weights[2].shape)
    }
    if queryProjection.bias != nil {
      let parts = try reader.tensor("in_proj_bias", shape: [rows]).unstacked(as: weights.map { [$0.shape[0]] })
      (queryProjection.bias, keyProjection.bias, valueProjection.bias) = (parts[0], parts[1], parts[2])
    }
  }
}

extension MultiHeadAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    let inputs = naming == .torch ? torchInputs : mlxInputs
    let extras = [("bias_k", biasKey), ("bias_v", biasValue)].compactMap { name, row in
      row.map { NamedTensor(name, $0.reshaped(to: [1, 1, $0.count])) }
    }
    return inputs + extras + outputProjection.parameters(naming: naming).scoped(to: "out_proj")
  }

  /// Whether PyTorch keeps the three weights in one.
  fileprivate var isPacked: Bool {
    let inputs = queryProjection.weight.shape[1]
    return keyProjection.weight.shape[1] == inputs && valueProjection.weight.shape[1] == inputs
  }

  private var mlxInputs: [NamedTensor] {
    queryProjection.parameters(naming: .mlx).scoped(to: "query_proj")
      + keyProjection.parameters(naming: .mlx).scoped(to: "key_proj")
      + valueProjection.parameters(naming: .mlx).scoped(to: "value_proj")
  }

  private var torchInputs: [NamedTensor] {
    let weights = [queryProjection.weight, keyProjection.weight, valueProjection.weight]
    let biases = [queryProjection.bias, keyProjection.bias, valueProjection.bias].compactMap { $0 }
    let named =
      isPacked
      ? [NamedTensor("in_proj_weight", .stacked(weights))]
      : zip(["q_proj_weight", "k_proj_weight", "v_proj_weight"], weights).map { NamedTensor($0, $1) }
    return named + (biases.isEmpty ? [] : [NamedTensor("in_proj_bias", .stacked(biases))])
  }
}

extension ParameterReader {
  /// A vector that PyTorch keeps as [1, 1, n].
  fileprivate func row(_ name: String, count: Int) throws(ParameterError) -> Tensor {
    try tensor(name, shape: [1, 1, count]).reshaped(to: [count])
  }
}

extension Tensor {
  /// Tensors that differ in their first axis only, one behind the other along it.
  fileprivate static func stacked(_ parts: [Tensor]) -> Tensor {
    Tensor(
      parts.flatMap(\.scalars), shape: [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst())
  }

  /// The parts again.
  fileprivate func unstacked(as shapes: [[Int]]) -> [Tensor] {
    var first = 0
    return shapes.map { shape in
      let count = shape.reduce(1, *)
      defer { first += count }
      return Tensor(Array(scalars[first..<first + count]), shape: shape)
    }
  }
}
