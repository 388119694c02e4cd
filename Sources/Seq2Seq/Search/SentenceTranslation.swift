/// How sentences are translated: search, and what is done with many and with long ones.
public struct TranslationOptions: Sendable, Equatable {
  /// The search.
  public var search: BeamSearch
  /// How many sentences are searched together, above 0. It changes no result.
  public var batchSize: Int
  /// How many tokens of a source are translated, above 0; the rest is cut off.
  public var maximumSourceLength: Int

  /// Options.
  public init(search: BeamSearch = BeamSearch(), batchSize: Int = 64, maximumSourceLength: Int = .max) {
    require(
      batchSize > 0 && maximumSourceLength > 0,
      "TranslationOptions: expected a batch size and a length above 0, got \(batchSize) and \(maximumSourceLength)")
    self.search = search
    self.batchSize = batchSize
    self.maximumSourceLength = maximumSourceLength
  }
}

/// For each text its translations, the best first, in the order of the texts; a blank text has one, without words.
///
/// Sentences of like lengths come together, so that little is computed for padding.
///
/// - Parameters:
///   - texts: Sentences.
///   - source: Their tokens and numbers.
///   - target: Those of the translations.
///   - options: How to search.
///   - decoder: A decoder for a batch, row for row.
func translations<Decoder: SequenceDecoder>(
  of texts: [String], source: TextCodec, target: TextCodec, options: TranslationOptions,
  decoder: (SentenceBatch) -> Decoder
) -> [[Translation]] {
  let tokens = texts.map { Array(source.tokenizer.tokens(of: $0).prefix(options.maximumSourceLength)) }
  let nothing = BeamSearch.emptyTranslation
  var result = texts.map { _ in [Translation(nothing, sourceTokens: [], target: target)] }
  let order = tokens.indices.filter { !tokens[$0].isEmpty }
    .sorted { tokens[$0].count != tokens[$1].count ? tokens[$0].count > tokens[$1].count : $0 < $1 }
  for start in stride(from: 0, to: order.count, by: options.batchSize) {
    let chunk = Array(order[start..<min(order.count - start, options.batchSize) + start])
    let batch = SentenceBatch(chunk.map { source.vocabulary.encode(tokens[$0]) })
    let found = batch.restored(options.search.hypotheses(decoder(batch), sourceLengths: batch.lengths))
    for (sentence, hypotheses) in zip(chunk, found) {
      result[sentence] = hypotheses.map { Translation($0, sourceTokens: tokens[sentence], target: target) }
    }
  }
  return result
}
