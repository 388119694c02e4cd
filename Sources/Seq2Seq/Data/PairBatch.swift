/// Numbers of a source and of its target, without `<s>` and `</s>`.
public struct EncodedPair: Sendable, Equatable {
  /// The sentence to translate.
  public var source: [Int]
  /// Its translation.
  public var target: [Int]

  /// A pair.
  public init(source: [Int], target: [Int]) {
    self.source = source
    self.target = target
  }
}

extension ParallelCorpus {
  /// The pairs as numbers, in order; those with more than `maximumLength` tokens, or none, on a side are left out.
  public func encoded(source: TextCodec, target: TextCodec, maximumLength: Int? = nil) -> [EncodedPair] {
    let lengths = 1...(maximumLength ?? .max)
    return pairs.lazy.map { EncodedPair(source: source.encode($0.source), target: target.encode($0.target)) }
      .filter { lengths ~= $0.source.count && lengths ~= $0.target.count }
  }
}

/// Pairs for one step of training: row b of each batch belongs to the same pair. Sources are sorted, the longest first.
public struct PairBatch: Sendable, Equatable {
  /// The sources.
  public let source: SentenceBatch
  /// What the decoder is given: `<s>` and the target.
  public let decoderInput: SentenceBatch
  /// What the decoder should say: the target and `</s>`. Of the same lengths as `decoderInput`.
  public let decoderOutput: SentenceBatch

  /// How many pairs there are.
  public var count: Int { source.count }
  /// How many tokens the loss is taken over: those of the targets and their ends.
  public var targetTokenCount: Int { decoderOutput.tokenCount }

  /// A batch of pairs.
  public init(_ pairs: [EncodedPair]) {
    source = SentenceBatch(pairs.map(\.source))
    decoderInput = SentenceBatch(pairs.map { [Vocabulary.start] + $0.target }, order: source.order)
    decoderOutput = SentenceBatch(pairs.map { $0.target + [Vocabulary.end] }, order: source.order)
  }
}
