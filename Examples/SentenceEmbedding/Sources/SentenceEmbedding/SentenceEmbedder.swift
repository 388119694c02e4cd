import Attention
import Foundation
import Safetensors

/// A model that maps sentences to vectors of length 1, near to each other where the meanings are (Reimers and Gurevych
/// 2019, arXiv:1908.10084): the mean of a BERT encoder's outputs over the tokens of the sentence, normalised.
///
/// ```swift
/// let embedder = try SentenceEmbedder(contentsOf: "all-MiniLM-L6-v2")
/// let y = try embedder(["A man is eating.", "Someone eats."])  // [2, 384]
/// y.similarities()[0, 1]
/// ```
public struct SentenceEmbedder: Sendable {
  /// Texts to tokens.
  public let tokenizer: WordPieceTokenizer
  /// Tokens to vectors.
  public let encoder: BertEncoder
  /// Tokens of a sentence, `[CLS]` and `[SEP]` with them; what is beyond is cut.
  public let maximumLength: Int
  private let weightsPath: String

  /// The width of the embeddings.
  public var dimensions: Int { encoder.configuration.hiddenSize }

  /// Reads a model's folder: `config.json`, `vocab.txt` and `model.safetensors`; where they are there also
  /// `tokenizer_config.json`, `sentence_bert_config.json` (the maximal length) and `1_Pooling/config.json`.
  ///
  /// - Throws: ``ModelError`` that names the file and what is wrong with it.
  public init(contentsOf folder: String) throws(ModelError) {
    func path(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
    func optionalPath(_ name: String) -> String? {
      FileManager.default.fileExists(atPath: path(name)) ? path(name) : nil
    }
    let configuration = try BertConfiguration(contentsOf: path("config.json"))
    if let path = optionalPath("1_Pooling/config.json") {
      guard try decoded(PoolingConfiguration.self, from: path).isMean else {
        throw ModelError(path, "expected a model that takes the mean over the tokens and nothing else")
      }
    }
    var longest = configuration.maxPositionEmbeddings
    if let path = optionalPath("sentence_bert_config.json") {
      longest = min(longest, try decoded(LengthConfiguration.self, from: path).maxSeqLength ?? longest)
      guard longest >= 2 else { throw ModelError(path, "expected 'max_seq_length' to be at least 2, found \(longest)") }
    }
    let normalizer =
      if let path = optionalPath("tokenizer_config.json") { try TextNormalizer(contentsOf: path) } else {
        TextNormalizer()
      }
    let vocabulary = try Vocabulary(contentsOf: path("vocab.txt"))
    guard vocabulary.count <= configuration.vocabSize else {
      throw ModelError(
        path("vocab.txt"),
        "expected at most \(configuration.vocabSize) lines as config.json says, found \(vocabulary.count)")
    }
    weightsPath = path("model.safetensors")
    let file: SafetensorsFile
    do throws(SafetensorsError) {
      file = try SafetensorsFile(contentsOf: weightsPath)
    } catch {
      throw ModelError(weightsPath, error)
    }
    maximumLength = longest
    tokenizer = WordPieceTokenizer(vocabulary: vocabulary, normalizer: normalizer)
    encoder = try BertEncoder(weights: file, configuration: configuration)
  }

  /// N sentences → [N, E]. The bits of an embedding do not depend on the other sentences.
  ///
  /// - Parameters:
  ///   - texts: The sentences.
  ///   - batchSize: How many go through the encoder at a time; those of like length go together.
  /// - Throws: ``ModelError`` when the weights give numbers that are not finite.
  public func callAsFunction(_ texts: [String], batchSize: Int = 32) throws(ModelError) -> Tensor {
    let tokens = texts.map { tokenizer($0, maximumLength: maximumLength) }
    let order = tokens.indices.sorted { (tokens[$0].count, $0) < (tokens[$1].count, $1) }
    let step = max(batchSize, 1)
    var embeddings = [Float](repeating: 0, count: texts.count * dimensions)
    for first in stride(from: 0, to: order.count, by: step) {
      let batch = order[first..<min(first + step, order.count)]
      let sequences = batch.map { tokens[$0] }
      let rows = encoder(sequences).meanOverPositions(lengths: sequences.map(\.count)).rowsOfUnitLength()
      guard rows.scalars.allSatisfy(\.isFinite) else {
        throw ModelError(weightsPath, "expected weights that give finite embeddings")
      }
      for (row, index) in batch.enumerated() {
        embeddings.replaceSubrange(
          index * dimensions..<(index + 1) * dimensions,
          with: rows.scalars[row * dimensions..<(row + 1) * dimensions])
      }
    }
    return Tensor(embeddings, shape: [texts.count, dimensions])
  }
}

/// `sentence_bert_config.json`.
private struct LengthConfiguration: Decodable {
  var maxSeqLength: Int?
}

/// `1_Pooling/config.json`.
private struct PoolingConfiguration: Decodable {
  var poolingModeMeanTokens: Bool?
  var poolingModeClsToken: Bool?
  var poolingModeMaxTokens: Bool?
  var poolingModeMeanSqrtLenTokens: Bool?

  var isMean: Bool {
    poolingModeMeanTokens ?? false
      && ![poolingModeClsToken, poolingModeMaxTokens, poolingModeMeanSqrtLenTokens].contains(true)
  }
}
