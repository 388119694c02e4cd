// Neither PyTorch nor MLX has these layers. Under PyTorch's naming their parameters go by the names that modules of
// tutorials give them, so that a `state_dict` of those loads; under MLX's by what they project, as in its multi-head
// attention. Vectors v that score are rows [1, A], as the `nn.Linear(A, 1, bias=False)` that stands for them keeps them.

extension NoParameters: NamedTensors {
  /// None.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { [] }
}

extension AdditiveAttention: ParameterContainer {
  /// Torch: `W_q.weight`, `W_q.bias`, `W_k.weight`, `w_v.weight` [1, A]. MLX: `query_proj.weight`, `query_proj.bias`,
  /// `key_proj.weight`, `score_proj.weight` [1, A]. Without a bias or a weight of the keys, those names are missing.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(queryWeight: queryWeight, keyWeight: keyWeight, bias: bias, vector: vector).parameters(naming: naming)
  }

  /// Takes the names of either naming, name by name.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    queryWeight = try reader.either("W_q.weight", "query_proj.weight", shape: queryWeight.shape)
    if let old = bias { bias = try reader.either("W_q.bias", "query_proj.bias", shape: old.shape) }
    if let old = keyWeight { keyWeight = try reader.either("W_k.weight", "key_proj.weight", shape: old.shape) }
    vector = try reader.vector("w_v.weight", "score_proj.weight", count: vector.count)
  }
}

extension AdditiveAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    let isMLX = naming == .mlx
    let (query, key) = isMLX ? ("query_proj", "key_proj") : ("W_q", "W_k")
    return [NamedTensor("\(query).weight", queryWeight)]
      + (bias.map { [NamedTensor("\(query).bias", $0)] } ?? [])
      + (keyWeight.map { [NamedTensor("\(key).weight", $0)] } ?? [])
      + [NamedTensor(isMLX ? "score_proj.weight" : "w_v.weight", vector.asRow)]
  }
}

extension GeneralAttention: ParameterContainer {
  /// Torch: `attn.weight`, [Hq, Hk]. MLX: `key_proj.weight`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(weight: weight).parameters(naming: naming)
  }

  /// Takes W under either name.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    weight = try reader.either("attn.weight", "key_proj.weight", shape: weight.shape)
  }
}

extension GeneralAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    [NamedTensor(naming == .mlx ? "key_proj.weight" : "attn.weight", weight)]
  }
}

extension ConcatAttention: ParameterContainer {
  /// Torch: `attn.weight` [A, Hq + Hk] and `v` [A]. MLX: `joined_proj.weight` and `score_proj.weight` [1, A].
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(weight: weight, vector: vector).parameters(naming: naming)
  }

  /// Takes the names of either naming, name by name.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    weight = try reader.either("attn.weight", "joined_proj.weight", shape: weight.shape)
    vector =
      reader.contains("score_proj.weight")
      ? try reader.tensor("score_proj.weight", shape: [1, vector.count]).reshaped(to: vector.shape)
      : try reader.tensor("v", shape: vector.shape, alternatives: ["score_proj.weight"])
  }
}

extension ConcatAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    naming == .mlx
      ? [NamedTensor("joined_proj.weight", weight), NamedTensor("score_proj.weight", vector.asRow)]
      : [NamedTensor("attn.weight", weight), NamedTensor("v", vector)]
  }
}

extension CosineAttention: ParameterContainer {
  /// `temperature`, a single number of shape [].
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    Gradients(temperature: temperature).parameters(naming: naming)
  }

  /// Takes τ, which must be finite and not 0.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    temperature = try reader.number("temperature", that: "a number that is finite and not 0") { $0.isFinite && $0 != 0 }
  }
}

extension CosineAttention.Gradients: NamedTensors {
  /// As the layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    [NamedTensor("temperature", Tensor([temperature], shape: []))]
  }
}

extension DotProductAttention: ParameterContainer {
  /// None.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { [] }

  /// Takes nothing.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {}
}

extension ScaledDotProductAttention: ParameterContainer {
  /// None: the scale is chosen, not learned.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { [] }

  /// Takes nothing.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {}
}

extension ParameterReader {
  fileprivate func either(_ torch: String, _ mlx: String, shape: [Int]) throws(ParameterError) -> Tensor {
    try tensor(torch, shape: shape, alternatives: [mlx])
  }

  /// A vector [n] that files keep as [1, n].
  func vector(_ torch: String, _ mlx: String, count: Int) throws(ParameterError) -> Tensor {
    try either(torch, mlx, shape: [1, count]).reshaped(to: [count])
  }

  /// A single number for which `isValid` holds, described by `expected`.
  fileprivate func number(
    _ name: String, that expected: String, _ isValid: (Float) -> Bool
  ) throws(ParameterError) -> Float {
    let number = try tensor(name, shape: []).scalars[0]
    guard isValid(number) else { throw .wrongValue(name: fullName(of: name), expected: expected, actual: number) }
    return number
  }
}

extension Tensor {
  /// [n] → [1, n].
  var asRow: Tensor { reshaped(to: [1, count]) }
}
