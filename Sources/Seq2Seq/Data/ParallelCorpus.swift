/// Two sentences that mean the same.
public struct SentencePair: Sendable, Hashable {
  /// The sentence to translate.
  public var source: String
  /// Its translation.
  public var target: String

  /// A pair.
  public init(source: String, target: String) {
    self.source = source
    self.target = target
  }
}

/// Sentence pairs, in order.
///
/// ```swift
/// let corpus = try ParallelCorpus(contentsOf: "pairs.tsv", sourceColumn: 2, targetColumn: 1)
/// let split = try corpus.split(validation: 1000, test: 1000, seed: 0)
/// ```
public struct ParallelCorpus: Sendable, Equatable {
  /// The pairs.
  public var pairs: [SentencePair]
  /// Lines that were blank when the corpus was read, and left out.
  public var blankLines = 0
  /// Lines whose source or target was blank, and left out.
  public var halfEmptyLines = 0

  /// How many pairs there are.
  public var count: Int { pairs.count }

  /// A corpus of the pairs.
  public init(_ pairs: [SentencePair]) { self.pairs = pairs }

  /// The pairs in an order that the seed makes.
  public func shuffled(seed: UInt64) -> Self {
    var generator = SeededGenerator(seed: seed)
    var copy = self
    generator.shuffle(&copy.pairs)
    return copy
  }

  /// Each distinct source with all its distinct targets, in the order of first occurrence: what a translation of the
  /// source is scored against.
  public func references() -> [ReferencedSource] {
    var groups: [ReferencedSource] = []
    var indices: [String: Int] = [:]
    var seen: Set<SentencePair> = []
    for pair in pairs where seen.insert(pair).inserted {
      if let index = indices[pair.source] {
        groups[index].targets.append(pair.target)
      } else {
        indices[pair.source] = groups.count
        groups.append(ReferencedSource(source: pair.source, targets: [pair.target]))
      }
    }
    return groups
  }
}

/// A sentence with all translations that are known of it.
public struct ReferencedSource: Sendable, Equatable {
  /// The sentence.
  public var source: String
  /// Its translations, at least one.
  public var targets: [String]

  /// A sentence and its translations.
  public init(source: String, targets: [String]) {
    self.source = source
    self.targets = targets
  }
}
