import Attention

/// The attention layer of a decoder, of any kind; no layer for none.
public enum Alignment: Sendable, Equatable {
  /// ``AdditiveAttention``.
  case additive(AdditiveAttention)
  /// ``DotProductAttention``.
  case dot(DotProductAttention)
  /// ``ScaledDotProductAttention``.
  case scaledDot(ScaledDotProductAttention)
  /// ``GeneralAttention``.
  case general(GeneralAttention)
  /// ``ConcatAttention``.
  case concat(ConcatAttention)
  /// ``CosineAttention``.
  case cosine(CosineAttention)
  /// ``PredictiveLocalAttention`` over the general form.
  case local(PredictiveLocalAttention<GeneralAttention>)
  /// No attention.
  case none

  /// A layer with parameters drawn from a seed.
  init(_ configuration: ModelConfiguration, seed: UInt64) {
    let (queries, keys) = (configuration.hiddenDimensions, configuration.memoryWidth)
    self =
      switch configuration.attention {
      case .additive:
        .additive(
          AdditiveAttention(dimensions: queries, keyDimensions: keys, hiddenDimensions: queries, seed: seed))
      case .dot: .dot(DotProductAttention())
      case .scaledDot: .scaledDot(ScaledDotProductAttention())
      case .general: .general(GeneralAttention(dimensions: queries, keyDimensions: keys, seed: seed))
      case .concat:
        .concat(ConcatAttention(dimensions: queries, keyDimensions: keys, hiddenDimensions: queries, seed: seed))
      case .cosine: .cosine(CosineAttention(temperature: 0.1))
      case .local:
        .local(
          PredictiveLocalAttention(
            GeneralAttention(dimensions: queries, keyDimensions: keys, seed: seed), dimensions: queries,
            window: configuration.localWindow, seed: ~seed))
      case .none: .none
      }
  }

  /// Gradients through the layer: of the parameters under their names, of queries and of keys.
  struct Gradients {
    var parameters: [NamedTensor]
    var queries, keys: Tensor
  }

  typealias Pullback = @Sendable (Tensor) -> Gradients

  /// The context of queries, [B, H] or [B, Tq, H], over keys [B, Tk, K]; nil without attention.
  func valueWithPullback(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask
  ) -> (value: Tensor, pullback: Pullback)? {
    func through<Layer: AlignmentLayer>(_ layer: Layer) -> (value: Tensor, pullback: Pullback)
    where Layer.Gradients: NamedTensors {
      let (value, pullback) = layer.valueWithPullback(queries, keys: keys, values: nil, mask: mask)
      return (
        value,
        { gradient in
          let gradients = pullback(gradient)
          return Gradients(
            parameters: gradients.parameters.parameters, queries: gradients.queries, keys: gradients.keys)
        }
      )
    }
    return switch self {
    case .additive(let layer): through(layer)
    case .dot(let layer): through(layer)
    case .scaledDot(let layer): through(layer)
    case .general(let layer): through(layer)
    case .concat(let layer): through(layer)
    case .cosine(let layer): through(layer)
    case .local(let layer): through(layer)
    case .none: nil
    }
  }

  /// The context.
  func callAsFunction(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> Tensor? {
    layer?.callAsFunction(queries, keys: keys, values: nil, mask: mask)
  }

  /// The weights, [B, Tk] or [B, Tq, Tk].
  func weights(_ queries: Tensor, keys: Tensor, mask: AttentionMask) -> Tensor? {
    layer?.weights(queries, keys: keys, mask: mask)
  }

  private var layer: (any AlignmentLayer)? {
    switch self {
    case .additive(let layer): layer
    case .dot(let layer): layer
    case .scaledDot(let layer): layer
    case .general(let layer): layer
    case .concat(let layer): layer
    case .cosine(let layer): layer
    case .local(let layer): layer
    case .none: nil
    }
  }
}

extension Alignment: ParameterContainer {
  /// The layer's.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    (layer as? any ParameterContainer)?.parameters(naming: naming) ?? []
  }

  /// Takes the layer's.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    switch self {
    case .additive(var layer):
      try layer.update(from: reader)
      self = .additive(layer)
    case .general(var layer):
      try layer.update(from: reader)
      self = .general(layer)
    case .concat(var layer):
      try layer.update(from: reader)
      self = .concat(layer)
    case .cosine(var layer):
      try layer.update(from: reader)
      self = .cosine(layer)
    case .local(var layer):
      try layer.update(from: reader)
      self = .local(layer)
    case .dot, .scaledDot, .none: break
    }
  }
}
