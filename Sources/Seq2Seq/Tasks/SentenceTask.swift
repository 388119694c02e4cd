/// Sentence pairs that the program makes itself: to try a model without data, and to judge it by exact match.
public protocol SentenceTask: Sendable {
  /// How its sources become tokens.
  var sourceTokenizer: Tokenizer { get }
  /// How its targets become tokens.
  var targetTokenizer: Tokenizer { get }

  /// Pairs that the seed makes, as many as asked for in each part, no source and no target twice.
  func split(training: Int, validation: Int, test: Int, seed: UInt64) -> CorpusSplit
}

/// The tasks by name.
public enum SyntheticTask: String, Sendable, CaseIterable {
  /// Chinese numerals to English words: ``NumeralsTask``.
  case numerals
  /// Chinese dates to ISO dates: ``DatesTask``.
  case dates
  /// Symbols in reverse order: ``ReversalTask``.
  case reversal

  /// The task as it is by default.
  public var task: any SentenceTask {
    switch self {
    case .numerals: NumeralsTask()
    case .dates: DatesTask()
    case .reversal: ReversalTask()
    }
  }
}

extension CorpusSplit {
  /// The first pairs for training, the next for validation, the rest for test.
  init(_ pairs: [SentencePair], training: Int, validation: Int) {
    self.init(
      training: ParallelCorpus(Array(pairs[..<training])),
      validation: ParallelCorpus(Array(pairs[training..<training + validation])),
      test: ParallelCorpus(Array(pairs[(training + validation)...])))
  }
}
