import Attention

/// The decoder: embedding, dropout, recurrent network from the encoder's final state, attention over the encoder's
/// states, and from concat(context, hidden) to the vocabulary:
///
///     s_t = network([y_{t−1}; a_{t−1}], s_{t−1})         a_{t−1} with input feeding only
///     c_t = Σ_j α_tj memory_j,  α_t = softmax_j(score(s_t, memory_j))
///     a_t = tanh(Wc [c_t; s_t] + bc),  or [c_t; s_t] as it is
///     z_t = Wo a_t + bo
///
/// In the terms of Luong et al. 2015 (arXiv:1508.04025), a is the attentional vector h̃.
public struct SentenceDecoder: Sendable, Equatable {
  /// Of the target's tokens, [V, E].
  public var embedding: Embedding
  /// The network.
  public var network: RecurrentNetwork
  /// The attention layer.
  public var attention: Alignment
  /// Wc, bc; nil where concat(context, hidden) goes to the vocabulary as it is.
  public var combination: Linear?
  /// Wo, bo.
  public var output: Linear
  /// Whether the network reads the attentional vector of the step before.
  let inputFeeding: Bool
  /// Of embeddings and attentional vectors.
  let dropout: Dropout

  /// Gradients of the parameters.
  public struct Gradients: Sendable, Equatable {
    /// Of the rows of the tokens that occur.
    public var embedding: SparseRows
    /// Of the network.
    public var network: RecurrentGradients
    /// Of the attention layer, under its names.
    public var attention: [NamedTensor]
    /// Of Wc and bc.
    public var combination: Linear.Gradients?
    /// Of Wo and bo.
    public var output: Linear.Gradients
  }

  init(_ configuration: ModelConfiguration, vocabularySize: Int, seed: UInt64) {
    let (e, h) = (configuration.embeddingDimensions, configuration.hiddenDimensions)
    embedding = Embedding(
      embeddingCount: vocabularySize, dimensions: e, paddingIndex: Vocabulary.padding, seed: subseed(seed, 0))
    network = RecurrentNetwork(
      configuration.cell, inputDimensions: e + (configuration.inputFeeding ? configuration.outputWidth : 0),
      hiddenDimensions: h, layers: configuration.layers, bidirectional: false, dropout: configuration.dropout,
      seed: subseed(seed, 1))
    attention = Alignment(configuration, seed: subseed(seed, 2))
    combination = configuration.attentionalLayer ? Linear(configuration.joinedWidth, h, seed: subseed(seed, 3)) : nil
    output = Linear(configuration.outputWidth, vocabularySize, seed: subseed(seed, 4))
    inputFeeding = configuration.inputFeeding
    dropout = Dropout(configuration.dropout)
  }

  /// The width of attentional vectors.
  var outputWidth: Int { output.inputDimensions }

  /// concat(context, hidden), rows [N, ...]; hidden itself without a context.
  func joined(_ context: Tensor?, _ hidden: Tensor) -> Tensor { context?.joined(hidden) ?? hidden }

  typealias CombinationPullback =
    @Sendable (Tensor) -> (parameters: Linear.Gradients?, context: Tensor?, hidden: Tensor)

  /// Attentional vectors of rows [N, K] and [N, H].
  func combined(_ context: Tensor?, _ hidden: Tensor) -> (value: Tensor, pullback: CombinationPullback) {
    let contextWidth = context?.shape[1] ?? 0
    let split: @Sendable (Tensor) -> (Tensor?, Tensor) = { gradient in
      guard contextWidth > 0 else { return (nil, gradient) }
      let (context, hidden) = gradient.columns(splitAt: contextWidth)
      return (context, hidden)
    }
    let joined = joined(context, hidden)
    guard let combination else {
      return (
        joined,
        { gradient in
          let (context, hidden) = split(gradient)
          return (nil, context, hidden)
        }
      )
    }
    let (sum, pullback) = combination.valueWithPullback(joined)
    let value = sum.tanhOfRows()
    return (
      value,
      { gradient in
        let (parameters, input) = pullback(gradient.throughTanh(value))
        let (context, hidden) = split(input)
        return (parameters, context, hidden)
      }
    )
  }
}
