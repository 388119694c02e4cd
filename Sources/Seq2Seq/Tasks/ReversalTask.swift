/// Symbols in reverse order: a d b → b d a. What comes first must be said last, which a decoder cannot do from one
/// state of limited size for long, and easily with attention.
public struct ReversalTask: SentenceTask {
  /// How many symbols there are, 2...26: the letters from a.
  public var symbolCount: Int
  /// How many symbols a sequence has, from 1.
  public var lengths: ClosedRange<Int>
  public var sourceTokenizer: Tokenizer { .spaces }
  public var targetTokenizer: Tokenizer { .spaces }

  /// The task, by default with sequences of 16 symbols, of which there are 16.
  public init(symbolCount: Int = 16, lengths: ClosedRange<Int> = 16...16) {
    require(
      2...26 ~= symbolCount && lengths.lowerBound > 0,
      "ReversalTask: expected 2 to 26 symbols and lengths from 1, got \(symbolCount) and \(lengths)")
    self.symbolCount = symbolCount
    self.lengths = lengths
  }

  /// No sequence is the reverse of another one, either. At most a quarter of the sequences of the greatest length are
  /// asked for.
  public func split(training: Int, validation: Int, test: Int, seed: UInt64) -> CorpusSplit {
    let total = training + validation + test
    var sequences = 1
    for _ in 0..<lengths.upperBound where sequences < 1 << 40 { sequences *= symbolCount }
    require(
      training >= 0 && validation >= 0 && test >= 0 && total <= sequences / 4,
      "ReversalTask: expected at most \(sequences / 4) pairs in all, got \(training), \(validation), \(test)")
    var generator = SeededGenerator(seed: seed)
    var seen: Set<[Int]> = []
    var pairs: [SentencePair] = []
    while pairs.count < total {
      let count = generator.number(in: lengths)
      let symbols = (0..<count).map { _ in generator.below(symbolCount) }
      guard !seen.contains(symbols) else { continue }
      seen.insert(symbols)
      seen.insert(symbols.reversed())
      pairs.append(SentencePair(source: Self.text(of: symbols), target: Self.text(of: symbols.reversed())))
    }
    return CorpusSplit(pairs, training: training, validation: validation)
  }

  private static func text(of symbols: [Int]) -> String {
    symbols.map { String(UnicodeScalar(UInt8(0x61 + $0))) }.joined(separator: " ")
  }
}
