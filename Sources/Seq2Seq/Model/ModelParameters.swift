import Attention

extension TranslationModel: ParameterContainer {
  /// `encoder.` and `decoder.` before: `embedding.weight`, `rnn.` with PyTorch's names of `nn.LSTM` and `nn.GRU`; in the
  /// encoder `bridge.hidden.0.weight`, `bridge.cell.0.weight` and the like and `projection.weight`; in the decoder
  /// `attention.` with the layer's names, `combination.weight`, `output.weight` and the biases of both.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    let encoderParts: [NamedTensor] =
      encoder.embedding.parameters(naming: naming).scoped(to: "embedding")
      + RecurrentGradients(layers: encoder.network.layers).parameters(naming: naming).scoped(to: "rnn")
      + encoder.bridge.parts.flatMap { $1.parameters(naming: naming).scoped(to: $0) }
      + (encoder.projection?.parameters(naming: naming).scoped(to: "projection") ?? [])
    let decoderParts: [NamedTensor] =
      decoder.embedding.parameters(naming: naming).scoped(to: "embedding")
      + RecurrentGradients(layers: decoder.network.layers).parameters(naming: naming).scoped(to: "rnn")
      + decoder.attention.parameters(naming: naming).scoped(to: "attention")
      + (decoder.combination?.parameters(naming: naming).scoped(to: "combination") ?? [])
      + decoder.output.parameters(naming: naming).scoped(to: "output")
    return encoderParts.scoped(to: "encoder") + decoderParts.scoped(to: "decoder")
  }

  /// Takes all of them.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    let (encoderReader, decoderReader) = (reader.scoped(to: "encoder"), reader.scoped(to: "decoder"))
    try encoder.embedding.update(from: encoderReader.scoped(to: "embedding"))
    try encoder.network.update(from: encoderReader.scoped(to: "rnn"))
    for index in encoder.bridge.hidden.indices {
      try encoder.bridge.hidden[index].update(from: encoderReader.scoped(to: "bridge.hidden.\(index)"))
    }
    for index in encoder.bridge.cell.indices {
      try encoder.bridge.cell[index].update(from: encoderReader.scoped(to: "bridge.cell.\(index)"))
    }
    try encoder.projection?.update(from: encoderReader.scoped(to: "projection"))
    try decoder.embedding.update(from: decoderReader.scoped(to: "embedding"))
    try decoder.network.update(from: decoderReader.scoped(to: "rnn"))
    try decoder.attention.update(from: decoderReader.scoped(to: "attention"))
    try decoder.combination?.update(from: decoderReader.scoped(to: "combination"))
    try decoder.output.update(from: decoderReader.scoped(to: "output"))
  }
}

extension Bridge {
  fileprivate var parts: [(String, Linear)] {
    hidden.enumerated().map { ("bridge.hidden.\($0)", $1) } + cell.enumerated().map { ("bridge.cell.\($0)", $1) }
  }
}

extension RecurrentNetwork {
  fileprivate mutating func update(from reader: ParameterReader) throws(ParameterError) {
    switch cell {
    case .lstm:
      var network = LSTM(layers: layers)
      try network.update(from: reader)
      layers = network.layers
    case .gru:
      var network = GRU(layers: layers)
      try network.update(from: reader)
      layers = network.layers
    }
  }
}

/// The gradient of a parameter with the parameter's name.
public struct NamedGradient: Sendable, Equatable {
  /// Such as `decoder.output.weight`.
  public var name: String
  /// The gradient.
  public var gradient: ParameterGradient
}

extension TranslationModel.Gradients {
  /// The gradients under the names of the parameters, in their order.
  public var named: [NamedGradient] {
    func dense(_ tensors: [NamedTensor], _ scope: String) -> [NamedGradient] {
      tensors.map { NamedGradient(name: "\(scope).\($0.name)", gradient: .dense($0.tensor)) }
    }
    let bridge =
      encoder.bridge.hidden.enumerated().map { ("encoder.bridge.hidden.\($0)", $1) }
      + encoder.bridge.cell.enumerated().map { ("encoder.bridge.cell.\($0)", $1) }
    return [NamedGradient(name: "encoder.embedding.weight", gradient: .sparse(encoder.embedding))]
      + dense(encoder.network.parameters, "encoder.rnn") + bridge.flatMap { dense($1.parameters, $0) }
      + dense(encoder.projection?.parameters ?? [], "encoder.projection")
      + [NamedGradient(name: "decoder.embedding.weight", gradient: .sparse(decoder.embedding))]
      + dense(decoder.network.parameters, "decoder.rnn") + dense(decoder.attention, "decoder.attention")
      + dense(decoder.combination?.parameters ?? [], "decoder.combination")
      + dense(decoder.output.parameters, "decoder.output")
  }
}
