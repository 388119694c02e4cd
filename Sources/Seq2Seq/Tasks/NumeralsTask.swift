/// Chinese numerals to English words: 三万二千零五十 → thirty-two thousand and fifty.
///
/// Numbers are in 0...99,999,999 by default. 0...99, which have all the words, are always in training; the others have
/// 3 to 8 digits, each length equally often until it is exhausted, many of their digits 0. Half of the numerals that
/// can have 两 for 二 do.
public struct NumeralsTask: SentenceTask {
  /// How many digits numbers have at most, 3...15.
  public var maximumDigits: Int
  public var sourceTokenizer: Tokenizer { .characters }
  public var targetTokenizer: Tokenizer { .words(lowercased: true) }

  /// The task.
  public init(maximumDigits: Int = 8) {
    require(3...15 ~= maximumDigits, "NumeralsTask: expected 3 to 15 digits, got \(maximumDigits)")
    self.maximumDigits = maximumDigits
  }

  /// At least 100 pairs for training. There must be enough numbers: at most a hundredth of all are asked for.
  public func split(training: Int, validation: Int, test: Int, seed: UInt64) -> CorpusSplit {
    let total = training + validation + test
    let numbers = (0..<maximumDigits).reduce(1) { product, _ in product * 10 }
    require(
      training >= 100 && validation >= 0 && test >= 0 && total <= max(numbers / 100, 500),
      """
      NumeralsTask: expected at least 100 pairs for training and at most \(max(numbers / 100, 500)) in all, got \
      \(training), \(validation), \(test)
      """)
    var generator = SeededGenerator(seed: seed)
    var seen = Set(0..<100)
    var rest: [Int] = []
    while rest.count < total - 100 {
      let number = number(using: &generator)
      if seen.insert(number).inserted { rest.append(number) }
    }
    var first = Array(0..<100) + rest[..<(training - 100)]
    generator.shuffle(&first)
    let pairs = (first + rest[(training - 100)...]).map { number in
      SentencePair(
        source: ChineseNumeral.text(of: number, colloquial: generator.oneIn(2)), target: EnglishNumeral.text(of: number)
      )
    }
    return CorpusSplit(pairs, training: training, validation: validation)
  }

  private func number(using generator: inout SeededGenerator) -> Int {
    let count = generator.number(in: 3...maximumDigits)
    // The last digits of round numbers are 0.
    let kept = generator.oneIn(4) ? generator.number(in: 1...count) : count
    var number = generator.number(in: 1...9)
    for place in 1..<count {
      let digit = place >= kept || generator.oneIn(3) ? 0 : generator.number(in: 0...9)
      number = number * 10 + digit
    }
    return number
  }
}
