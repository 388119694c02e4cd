import Attention

/// The encoder: embedding, dropout, recurrent network over the sentences' lengths → a state for each source position,
/// which the decoder attends to, and the decoder's first state.
public struct SentenceEncoder: Sendable, Equatable {
  /// Of the source's tokens, [Vs, E].
  public var embedding: Embedding
  /// The network.
  public var network: RecurrentNetwork
  /// From its final state to the decoder's first.
  public var bridge: Bridge
  /// From its states to the width of the decoder's, where the scores need one width; else nil.
  public var projection: Linear?
  /// Of the embeddings.
  let dropout: Dropout

  /// Gradients of the parameters.
  public struct Gradients: Sendable, Equatable {
    /// Of the rows of the tokens that occur.
    public var embedding: SparseRows
    /// Of the network.
    public var network: RecurrentGradients
    /// Of the bridge.
    public var bridge: Bridge.Gradients
    /// Of the projection.
    public var projection: Linear.Gradients?
  }

  /// What the decoder is given.
  struct Encoded: Sendable {
    /// [B, Tk, K].
    var memory: Tensor
    /// The decoder's first state.
    var state: RecurrentState
  }

  init(_ configuration: ModelConfiguration, vocabularySize: Int, seed: UInt64) {
    let e = configuration.embeddingDimensions
    embedding = Embedding(
      embeddingCount: vocabularySize, dimensions: e, paddingIndex: Vocabulary.padding, seed: subseed(seed, 0))
    network = RecurrentNetwork(
      configuration.cell, inputDimensions: e, hiddenDimensions: configuration.hiddenDimensions,
      layers: configuration.layers, bidirectional: configuration.bidirectional, dropout: configuration.dropout,
      seed: subseed(seed, 1))
    bridge = Bridge(configuration, seed: subseed(seed, 2))
    projection =
      configuration.memoryWidth == configuration.encoderWidth
      ? nil : Linear(configuration.encoderWidth, configuration.memoryWidth, bias: false, seed: subseed(seed, 3))
    dropout = Dropout(configuration.dropout)
  }

  /// Without dropout.
  func callAsFunction(_ batch: SentenceBatch) -> Encoded {
    let (states, final) = network(embedding(batch.ids), lengths: batch.lengths)
    return Encoded(memory: projection?(states) ?? states, state: bridge.valueWithPullback(final).value)
  }

  typealias Pullback = @Sendable (_ memory: Tensor, _ state: RecurrentState) -> Gradients

  /// With dropout where a seed is given.
  func valueWithPullback(_ batch: SentenceBatch, dropoutSeed seed: UInt64?) -> (value: Encoded, pullback: Pullback) {
    let (x, drop) = dropout.valueWithPullback(embedding(batch.ids), seed: seed.map { subseed($0, 0) })
    let (value, networkPullback) = network.valueWithPullback(
      x, lengths: batch.lengths, dropoutSeed: seed.map { subseed($0, 1) })
    let projected = projection.map { $0.valueWithPullback(value.output) }
    let (state, bridgePullback) = bridge.valueWithPullback(value.state)
    return (
      Encoded(memory: projected?.value ?? value.output, state: state),
      { memory, state in
        let projected = projected.map { $0.pullback(memory) }
        let (bridge, final) = bridgePullback(state)
        let (network, input, _) = networkPullback(projected?.input ?? memory, final)
        let tokens = batch.ids.flatMap { $0 }
        let rows = drop(input).reshaped(to: [tokens.count, embedding.weight.shape[1]])
        return Gradients(
          embedding: embedding.sparseGradient(tokens: tokens, rows), network: network, bridge: bridge,
          projection: projected?.parameters)
      }
    )
  }
}

/// The seed of one of several places that draw from one seed.
func subseed(_ seed: UInt64, _ place: Int) -> UInt64 {
  var generator = SeededGenerator(seed: seed, stream: UInt64(place))
  return generator.next()
}
