/// The form of a ``TranslationModel``.
public struct ModelConfiguration: Sendable, Equatable, JSONRepresentable {
  public static let nameInMessages = "model configuration"

  /// The recurrent cell of encoder and decoder.
  public enum Cell: String, Sendable, Codable, CaseIterable {
    /// ``LSTM``.
    case lstm
    /// ``GRU``.
    case gru
  }

  /// How the decoder aligns with the encoder's states.
  public enum Attention: String, Sendable, Codable, CaseIterable {
    /// v·tanh(Wq s + Wk h + b): Bahdanau et al. 2015.
    case additive
    /// s·h: Luong et al. 2015.
    case dot
    /// s·h ÷ √H: Vaswani et al. 2017.
    case scaledDot = "scaled-dot"
    /// sᵀ W h: Luong et al. 2015.
    case general
    /// v·tanh(W [s; h]): Luong et al. 2015.
    case concat
    /// cos(s, h) ÷ τ.
    case cosine
    /// Luong's local-p: a window about a predicted place, scores of the general form.
    case local
    /// None: the decoder knows the encoder's final state only. For comparison.
    case none
  }

  /// The recurrent cell.
  public var cell = Cell.lstm
  /// E, of the embeddings of both languages.
  public var embeddingDimensions = 256
  /// H, of each direction of the encoder, and of the decoder.
  public var hiddenDimensions = 256
  /// L, the layers of the encoder and of the decoder.
  public var layers = 1
  /// Whether the encoder runs in both directions.
  public var bidirectional = true
  /// The kind of attention.
  public var attention = Attention.additive
  /// Positions on each side of the place that local attention predicts.
  public var localWindow = 10
  /// Whether concat(context, hidden) passes through an affine layer of H units and tanh on the way to the vocabulary
  /// (the attentional vector of Luong et al. 2015), or goes there as it is.
  public var attentionalLayer = true
  /// Whether each step of the decoder reads the attentional vector of the step before, next to the word's embedding
  /// (Luong et al. 2015). Training then goes step by step, which takes longer.
  public var inputFeeding = false
  /// The probability of dropout of the embeddings, between layers, and before the vocabulary.
  public var dropout = 0.3

  /// A bidirectional LSTM of one layer with additive attention; its properties may be changed.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case cell, embeddingDimensions, hiddenDimensions, layers, bidirectional, attention, localWindow, attentionalLayer
    case inputFeeding, dropout
  }

  /// Reads JSON, and refuses values that make no model.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    cell = try values.decode(Cell.self, forKey: .cell)
    embeddingDimensions = try values.decode(Int.self, forKey: .embeddingDimensions)
    hiddenDimensions = try values.decode(Int.self, forKey: .hiddenDimensions)
    layers = try values.decode(Int.self, forKey: .layers)
    bidirectional = try values.decode(Bool.self, forKey: .bidirectional)
    attention = try values.decode(Attention.self, forKey: .attention)
    localWindow = try values.decode(Int.self, forKey: .localWindow)
    attentionalLayer = try values.decode(Bool.self, forKey: .attentionalLayer)
    inputFeeding = try values.decode(Bool.self, forKey: .inputFeeding)
    dropout = try values.decode(Double.self, forKey: .dropout)
    if let problem { throw JSONError.invalid(Self.self, problem) }
  }

  /// What makes it no model, in words; nil when nothing does.
  public var problem: String? {
    let sizes = [
      ("embeddingDimensions", embeddingDimensions), ("hiddenDimensions", hiddenDimensions), ("layers", layers),
      ("localWindow", localWindow),
    ]
    for (name, size) in sizes where !(1...65_536 ~= size) { return "\(name) is \(size), expected 1 to 65536" }
    if !(dropout >= 0 && dropout < 1) { return "dropout is \(dropout), expected 0 or more and below 1" }
    return nil
  }

  /// The width of the encoder's states.
  var encoderWidth: Int { (bidirectional ? 2 : 1) * hiddenDimensions }
  /// Whether queries and keys must have one width.
  var scoresNeedOneWidth: Bool { attention == .dot || attention == .scaledDot || attention == .cosine }
  /// The width of what the decoder attends to: the encoder's states, projected where the scores need that.
  var memoryWidth: Int { scoresNeedOneWidth ? hiddenDimensions : encoderWidth }
  /// The width of concat(context, hidden).
  var joinedWidth: Int { hiddenDimensions + (attention == .none ? 0 : memoryWidth) }
  /// The width of what goes to the vocabulary.
  var outputWidth: Int { attentionalLayer ? hiddenDimensions : joinedWidth }
}
