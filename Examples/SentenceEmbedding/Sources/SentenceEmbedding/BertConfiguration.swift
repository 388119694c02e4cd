import Attention

/// The sizes of a BERT encoder, from the `config.json` of a model.
public struct BertConfiguration: Sendable, Equatable, Decodable {
  /// Words of the vocabulary.
  public var vocabSize: Int
  /// E, the width of embeddings and layers.
  public var hiddenSize: Int
  /// How many layers.
  public var numHiddenLayers: Int
  /// H.
  public var numAttentionHeads: Int
  /// F, the width inside the feed-forward networks.
  public var intermediateSize: Int
  /// The longest sequence.
  public var maxPositionEmbeddings: Int
  /// Kinds of segments; sentences are of kind 0.
  public var typeVocabSize: Int
  /// Of the feed-forward networks: `gelu`, `gelu_new` and `relu` are known.
  public var hiddenAct: String
  /// ε of the norms.
  public var layerNormEps: Double
  /// nil or `bert`.
  public var modelType: String?
  /// nil or `absolute`.
  public var positionEmbeddingType: String?

  /// Reads and checks a `config.json`.
  public init(contentsOf path: String) throws(ModelError) {
    self = try decoded(Self.self, from: path)
    let sizes = [
      ("vocab_size", vocabSize), ("hidden_size", hiddenSize), ("num_hidden_layers", numHiddenLayers),
      ("num_attention_heads", numAttentionHeads), ("intermediate_size", intermediateSize),
      ("max_position_embeddings", maxPositionEmbeddings), ("type_vocab_size", typeVocabSize),
    ]
    for (name, size) in sizes where !(1...Int(Int32.max) ~= size) {
      throw ModelError(path, "expected a positive '\(name)' below 2^31, found \(size)")
    }
    guard hiddenSize % numAttentionHeads == 0 else {
      throw ModelError(
        path,
        "expected 'hidden_size' to be a multiple of 'num_attention_heads', found \(hiddenSize) and \(numAttentionHeads)"
      )
    }
    guard layerNormEps >= 0 && layerNormEps.isFinite else {
      throw ModelError(path, "expected 'layer_norm_eps' to be 0 or more, found \(layerNormEps)")
    }
    guard activation != nil else {
      throw ModelError(path, "expected 'hidden_act' to be gelu, gelu_new or relu, found '\(hiddenAct)'")
    }
    guard modelType ?? "bert" == "bert" else {
      throw ModelError(path, "expected 'model_type' to be bert, found '\(modelType!)'")
    }
    guard positionEmbeddingType ?? "absolute" == "absolute" else {
      throw ModelError(path, "expected 'position_embedding_type' to be absolute, found '\(positionEmbeddingType!)'")
    }
  }

  /// The function that ``hiddenAct`` names.
  var activation: Activation? {
    switch hiddenAct {
    case "gelu": .gelu
    case "gelu_new", "gelu_pytorch_tanh": .geluTanh
    case "relu": .relu
    default: nil
    }
  }
}
