import Attention

/// The decoder of a ``TranslationModel`` over a batch of sources that has been encoded: for search.
public struct TranslationDecoder: SequenceDecoder {
  private let decoder: SentenceDecoder
  private let encoded: SentenceEncoder.Encoded
  private let lengths: [Int]

  init(_ model: TranslationModel, _ batch: SentenceBatch) {
    decoder = model.decoder
    encoded = model.encoder(batch)
    lengths = batch.lengths
  }

  /// Rows that each belong to a source and hold the network's state.
  public struct State: Sendable {
    /// The source of each row.
    fileprivate var sources: [Int]
    fileprivate var network: RecurrentState
    fileprivate var feed: Tensor?
  }

  /// V, of the target's vocabulary.
  public var vocabularySize: Int { decoder.output.outputDimensions }

  /// A row a source: the encoder's final state, through the bridge.
  public func initialState() -> State {
    State(sources: Array(lengths.indices), network: encoded.state, feed: decoder.firstFeed(rows: lengths.count))
  }

  /// The state of some rows, repeats allowed.
  public func select(_ rows: [Int], of state: State) -> State {
    require(
      rows.allSatisfy(state.sources.indices.contains),
      "TranslationDecoder: expected rows below \(state.sources.count), got \(rows)")
    return State(
      sources: rows.map { state.sources[$0] }, network: state.network.selecting(rows),
      feed: state.feed?.gatheringRows(rows))
  }

  /// log p [rows, V] of the word after each token, and the attention [rows, Tk] with which it is said.
  public func step(
    _ tokens: [Int], _ state: State
  ) -> (logProbabilities: Tensor, attention: Tensor, state: State) {
    require(
      tokens.count == state.sources.count,
      "TranslationDecoder: expected \(state.sources.count) tokens, got \(tokens.count)")
    let x = decoder.stepInput(decoder.embedding(tokens), feed: state.feed)
    let (output, network) = decoder.network(x, initialState: state.network)
    let hidden = output.reshaped(to: [tokens.count, output.shape[2]])
    let (context, attention) = attend(hidden, state.sources)
    let vectors = decoder.combined(context, hidden).value
    let next = State(sources: state.sources, network: network, feed: state.feed.map { _ in vectors })
    return (decoder.output(vectors).logSoftmax(), attention, next)
  }

  /// Contexts [rows, K] and weights [rows, Tk] of rows that belong to any sources: those of a source are its queries, so
  /// that keys are neither copied nor projected again for each of them.
  private func attend(_ hidden: Tensor, _ sources: [Int]) -> (context: Tensor?, weights: Tensor) {
    let (rows, keys, width) = (sources.count, encoded.memory.shape[1], hidden.shape[1])
    if case .none = decoder.attention { return (nil, Tensor(repeating: 0, shape: [rows, keys])) }
    var counts = [Int](repeating: 0, count: lengths.count)
    let slots = sources.map { source in
      counts[source] += 1
      return counts[source] - 1
    }
    let most = counts.max() ?? 0
    var places = [Int](repeating: -1, count: lengths.count * most)
    let indices = zip(sources, slots).map { $0 * most + $1 }
    for (row, index) in indices.enumerated() { places[index] = row }
    let queries = hidden.gatheringRows(places).reshaped(to: [lengths.count, most, width])
    let mask = AttentionMask.keyLengths(lengths)
    let context = decoder.attention(queries, keys: encoded.memory, mask: mask)!
    let weights = decoder.attention.weights(queries, keys: encoded.memory, mask: mask)!
    func rowsOf(_ x: Tensor) -> Tensor {
      x.reshaped(to: [lengths.count * most, x.shape[2]]).gatheringRows(indices)
    }
    return (rowsOf(context), rowsOf(weights))
  }
}

extension TranslationModel {
  /// The decoder over a batch, whose sources are encoded now. Its rows are those of the batch; attention is [rows, Tk],
  /// 0 beyond a source's length and, without attention, everywhere.
  public func decoder(for batch: SentenceBatch) -> TranslationDecoder { TranslationDecoder(self, batch) }
}
