import Attention
import Safetensors

/// The weights of a BERT encoder in a file, found by BERT's names and checked against the configuration.
struct BertWeights {
  /// BERT's names of the parts of a layer, the layer's own names of them (MLX's), and the shapes of their weights;
  /// each part has a bias as wide as the first axis.
  private static func parts(_ configuration: BertConfiguration) -> [(bert: String, layer: String, shape: [Int])] {
    let (e, f) = (configuration.hiddenSize, configuration.intermediateSize)
    return [
      ("attention.self.query", "attention.query_proj", [e, e]),
      ("attention.self.key", "attention.key_proj", [e, e]),
      ("attention.self.value", "attention.value_proj", [e, e]),
      ("attention.output.dense", "attention.out_proj", [e, e]),
      ("attention.output.LayerNorm", "ln1", [e]),
      ("intermediate.dense", "linear1", [f, e]),
      ("output.dense", "linear2", [e, f]),
      ("output.LayerNorm", "ln2", [e]),
    ]
  }

  private let file: SafetensorsFile
  private let configuration: BertConfiguration
  /// `bert.` in files of models that have something on top of the encoder.
  private let prefix: String

  init(_ file: SafetensorsFile, _ configuration: BertConfiguration) {
    self.file = file
    self.configuration = configuration
    prefix = file.names.contains { $0.hasPrefix("bert.embeddings.") } ? "bert." : ""
  }

  /// A tensor under BERT's name.
  func tensor(_ name: String, shape: [Int]) throws(ParameterError) -> Tensor {
    let name = prefix + name
    guard let tensor = try? file.tensor(named: name) else { throw .missing(name: name, alternatives: []) }
    guard tensor.type.isFloatingPoint else { throw .wrongType(name: name, actual: tensor.type) }
    guard tensor.shape == shape else { throw .wrongShape(name: name, expected: shape, actual: tensor.shape) }
    return Tensor(tensor.scalars(as: Float.self), shape: shape)
  }

  /// Of the layer `index`, under the names that ``TransformerEncoderLayer`` loads.
  func layer(_ index: Int) throws(ParameterError) -> [NamedTensor] {
    var tensors: [NamedTensor] = []
    for part in Self.parts(configuration) {
      let name = "encoder.layer.\(index).\(part.bert)"
      tensors.append(NamedTensor("\(part.layer).weight", try tensor("\(name).weight", shape: part.shape)))
      tensors.append(NamedTensor("\(part.layer).bias", try tensor("\(name).bias", shape: [part.shape[0]])))
    }
    return tensors
  }

  /// Throws when the encoder in the file has what the configuration does not know, such as another layer. What is not
  /// of the encoder, as poolers and heads, is let be.
  func checkNothingElse() throws(ParameterError) {
    var known: Set = ["\(prefix)embeddings.position_ids"]
    for name in ["word_embeddings", "position_embeddings", "token_type_embeddings"] {
      known.insert("\(prefix)embeddings.\(name).weight")
    }
    let layers = (0..<configuration.numHiddenLayers).flatMap { index in
      Self.parts(configuration).map { "encoder.layer.\(index).\($0.bert)" }
    }
    for name in layers + ["embeddings.LayerNorm"] {
      known.formUnion(["\(prefix)\(name).weight", "\(prefix)\(name).bias"])
    }
    let scopes = ["\(prefix)embeddings.", "\(prefix)encoder."]
    if let name = file.names.first(where: { name in !known.contains(name) && scopes.contains(where: name.hasPrefix) }) {
      throw .unexpected(name: name)
    }
  }
}
