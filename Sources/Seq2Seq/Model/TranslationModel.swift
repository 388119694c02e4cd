import Attention

/// A translator: an encoder of the source sentence and a decoder that attends to it, after Sutskever et al. 2014
/// (arXiv:1409.3215), Bahdanau et al. 2015 (arXiv:1409.0473) and Luong et al. 2015 (arXiv:1508.04025); see ``SentenceEncoder``
/// and ``SentenceDecoder`` for the formulas.
///
/// ```swift
/// let model = try TranslationModel.load(from: "chinese-english.safetensors")
/// let batch = SentenceBatch(["我爱你。"].map(model.source.encode))
/// let decoder = model.decoder(for: batch)      // encodes once; then searched
/// ```
public struct TranslationModel: Sendable, Equatable {
  /// The form.
  public let configuration: ModelConfiguration
  /// Texts to translate and their numbers.
  public let source: TextCodec
  /// Translations and their numbers.
  public let target: TextCodec
  /// Its encoder.
  public var encoder: SentenceEncoder
  /// Its decoder.
  public var decoder: SentenceDecoder

  /// Gradients of the parameters, nested as they are.
  public struct Gradients: Sendable, Equatable {
    /// Of the encoder.
    public var encoder: SentenceEncoder.Gradients
    /// Of the decoder.
    public var decoder: SentenceDecoder.Gradients
  }

  /// A model with parameters drawn from a seed, as PyTorch draws those of such layers.
  public init(_ configuration: ModelConfiguration, source: TextCodec, target: TextCodec, seed: UInt64) {
    if let problem = configuration.problem { fatalError("TranslationModel: \(problem)") }
    self.configuration = configuration
    self.source = source
    self.target = target
    encoder = SentenceEncoder(configuration, vocabularySize: source.vocabulary.count, seed: subseed(seed, 0))
    decoder = SentenceDecoder(configuration, vocabularySize: target.vocabulary.count, seed: subseed(seed, 1))
  }

  /// Logits [B, T, V] of the word after each of the given ones, and the attention weights [B, T, Tk], nil without
  /// attention. Rows beyond a target's length mean nothing. For looking at; training takes
  /// ``lossWithGradients(_:smoothing:dropoutSeed:teacherForcing:)``, which stores no logits.
  public func callAsFunction(_ batch: PairBatch) -> (logits: Tensor, attention: Tensor?) {
    let encoded = encoder(batch.source)
    let (rows, steps) = (batch.count, batch.decoderInput.maximumLength)
    let mask = AttentionMask.keyLengths(batch.source.lengths)
    var (state, feed, hiddens, vectors) = (encoded.state, decoder.firstFeed(rows: rows), [Tensor](), [Tensor]())
    for step in 0..<steps {
      let x = decoder.stepInput(decoder.embedding(batch.decoderInput.ids.map { $0[step] }), feed: feed)
      let (output, next) = decoder.network(x, initialState: state)
      let hidden = output.reshaped(to: [rows, output.shape[2]])
      let vector = decoder.combined(decoder.attention(hidden, keys: encoded.memory, mask: mask), hidden).value
      if feed != nil { feed = vector }
      hiddens.append(hidden)
      vectors.append(vector)
      state = next
    }
    let queries = Tensor.batchFirst(hiddens)
    return (
      decoder.output(Tensor.batchFirst(vectors)),
      decoder.attention.weights(queries, keys: encoded.memory, mask: mask)
    )
  }

  /// The loss of a batch, summed over the target tokens, without dropout.
  public func loss(_ batch: PairBatch, smoothing: Double = 0) -> CrossEntropy {
    decoder.loss(batch, encoder(batch.source), smoothing: smoothing)
  }

  /// The loss of a batch, summed, and the gradients of its mean over the target tokens.
  ///
  /// - Parameters:
  ///   - smoothing: ε of label smoothing.
  ///   - dropoutSeed: Names what is dropped; nil = nothing.
  ///   - teacherForcing: The probability that a word read is the given one instead of the model's own; below 1 the
  ///     decoder goes step by step.
  public func lossWithGradients(
    _ batch: PairBatch, smoothing: Double = 0, dropoutSeed: UInt64? = nil, teacherForcing: Double = 1,
    choiceSeed: UInt64 = 0
  ) -> (loss: CrossEntropy, gradients: Gradients) {
    let (encoded, pullback) = encoder.valueWithPullback(batch.source, dropoutSeed: dropoutSeed.map { subseed($0, 0) })
    let options = SentenceDecoder.LossOptions(
      smoothing: smoothing, gradientScale: 1 / Double(max(batch.targetTokenCount, 1)),
      dropoutSeed: dropoutSeed.map { subseed($0, 1) })
    let result =
      configuration.inputFeeding || teacherForcing < 1
      ? decoder.steppedLossWithGradients(
        batch, encoded, options, teacherForcing: teacherForcing, choiceSeed: choiceSeed)
      : decoder.lossWithGradients(batch, encoded, options)
    var loss = result.loss
    loss.gradients = nil
    return (loss, Gradients(encoder: pullback(result.memory, result.state), decoder: result.decoder))
  }
}

extension Tensor {
  /// [B, W] of each of T steps → [B, T, W].
  static func batchFirst(_ steps: [Tensor]) -> Tensor {
    let (batch, width) = (steps[0].shape[0], steps[0].shape[1])
    let places = (0..<batch).flatMap { row in steps.indices.map { $0 * batch + row } }
    return Tensor(steps.flatMap(\.scalars), shape: [steps.count * batch, width]).gatheringRows(places)
      .reshaped(to: [batch, steps.count, width])
  }
}
