import Attention

// Parameters are visited in place, one after the other in the order of their names: what an optimiser changes is not
// copied, as it would be on the way through a list.
extension TranslationModel {
  /// Calls `body` with each parameter in the order of ``parameters``. Vectors that files keep as [1, n] are [n].
  mutating func forEachParameter(_ body: (inout Tensor) -> Void) {
    body(&encoder.embedding.weight)
    encoder.network.forEachParameter(body)
    for index in encoder.bridge.hidden.indices { encoder.bridge.hidden[index].forEachParameter(body) }
    for index in encoder.bridge.cell.indices { encoder.bridge.cell[index].forEachParameter(body) }
    encoder.projection?.forEachParameter(body)
    body(&decoder.embedding.weight)
    decoder.network.forEachParameter(body)
    decoder.attention.forEachParameter(body)
    decoder.combination?.forEachParameter(body)
    decoder.output.forEachParameter(body)
  }
}

extension Linear {
  fileprivate mutating func forEachParameter(_ body: (inout Tensor) -> Void) {
    body(&weight)
    if bias != nil { body(&bias!) }
  }
}

extension RecurrentNetwork {
  fileprivate mutating func forEachParameter(_ body: (inout Tensor) -> Void) {
    for index in layers.indices {
      layers[index].forward.forEachParameter(body)
      layers[index].reverse?.forEachParameter(body)
    }
  }
}

extension RecurrentCell {
  fileprivate mutating func forEachParameter(_ body: (inout Tensor) -> Void) {
    body(&inputWeight)
    body(&hiddenWeight)
    if inputBias != nil { body(&inputBias!) }
    if hiddenBias != nil { body(&hiddenBias!) }
  }
}

extension Alignment {
  fileprivate mutating func forEachParameter(_ body: (inout Tensor) -> Void) {
    // The case gives up its layer meanwhile, so that the layer is the only owner of its numbers.
    switch self {
    case .additive(var layer):
      self = .none
      body(&layer.queryWeight)
      if layer.bias != nil { body(&layer.bias!) }
      if layer.keyWeight != nil { body(&layer.keyWeight!) }
      body(&layer.vector)
      self = .additive(layer)
    case .general(var layer):
      self = .none
      body(&layer.weight)
      self = .general(layer)
    case .concat(var layer):
      self = .none
      body(&layer.weight)
      body(&layer.vector)
      self = .concat(layer)
    case .cosine(var layer):
      var temperature = Tensor([layer.temperature], shape: [])
      body(&temperature)
      layer.temperature = temperature.scalars[0]
      self = .cosine(layer)
    case .local(var layer):
      self = .none
      body(&layer.positionWeight)
      body(&layer.positionVector)
      body(&layer.score.weight)
      self = .local(layer)
    case .dot, .scaledDot, .none: break
    }
  }
}
