import Attention
import Safetensors

/// The encoder of BERT (Devlin et al. 2018, arXiv:1810.04805): post-norm transformer layers on
///
///     x_s = norm(words[token_s] + segments[0] + positions[s])
///
/// Sequences of token numbers → [B, S, E].
public struct BertEncoder: Sendable {
  /// The sizes.
  public let configuration: BertConfiguration
  private let words: Embedding
  private let positions: Embedding
  private let segments: Embedding
  private let norm: LayerNorm
  private let layers: [TransformerEncoderLayer]

  /// An encoder of the weights in a file, under the names that PyTorch's `BertModel` saves.
  ///
  /// - Throws: ``ModelError`` that names the tensor which is missing, unexpected or of another shape or type.
  public init(weights file: SafetensorsFile, configuration: BertConfiguration) throws(ModelError) {
    do throws(ParameterError) {
      let weights = BertWeights(file, configuration)
      let (e, eps) = (configuration.hiddenSize, configuration.layerNormEps)
      words = Embedding(
        weight: try weights.tensor("embeddings.word_embeddings.weight", shape: [configuration.vocabSize, e]))
      positions = Embedding(
        weight: try weights.tensor(
          "embeddings.position_embeddings.weight", shape: [configuration.maxPositionEmbeddings, e]))
      segments = Embedding(
        weight: try weights.tensor(
          "embeddings.token_type_embeddings.weight", shape: [configuration.typeVocabSize, e]))
      var norm = LayerNorm(e, eps: eps)
      norm.weight = try weights.tensor("embeddings.LayerNorm.weight", shape: [e])
      norm.bias = try weights.tensor("embeddings.LayerNorm.bias", shape: [e])
      self.norm = norm
      try weights.checkNothingElse()
      // The first layer's tensors are read before a layer of these sizes is made, the sizes being the file's then.
      var (tensors, layers) = (try weights.layer(0), [TransformerEncoderLayer]())
      var layer = TransformerEncoderLayer(
        dimensions: e, numHeads: configuration.numAttentionHeads,
        feedForwardDimensions: configuration.intermediateSize, activation: configuration.activation ?? .gelu,
        eps: eps, seed: 0)
      for index in 0..<configuration.numHiddenLayers {
        if index > 0 { tensors = try weights.layer(index) }
        try layer.load(from: tensors)
        layers.append(layer)
      }
      self.layers = layers
    } catch {
      throw ModelError(file.path, error)
    }
    self.configuration = configuration
  }

  /// B sequences of at most S tokens → [B, S, E], S being the longest. Shorter ones are padded, which changes no bit of
  /// theirs; what stands at s ≥ the length of sequence b is of no meaning.
  public func callAsFunction(_ tokens: [[Int]]) -> Tensor {
    let lengths = tokens.map(\.count)
    let longest = lengths.max() ?? 0
    func everywhere(_ row: [Int]) -> [[Int]] { tokens.map { _ in row } }
    var x = norm(
      words(tokens.map { $0 + [Int](repeating: 0, count: longest - $0.count) })
        + segments(everywhere([Int](repeating: 0, count: longest)))
        + positions(everywhere(Array(0..<longest))))
    for layer in layers { x = layer(x, mask: .keyLengths(lengths)) }
    return x
  }
}
