import ArgumentParser
import Seq2Seq

extension SyntheticTask: ExpressibleByArgument {}

/// `--source-tokenizer` and `--target-tokenizer`.
enum TokenizerArgument: String, ExpressibleByArgument, CaseIterable {
  case characters, words
  case lowercaseWords = "lowercase-words"
  case pieces
  case lowercasePieces = "lowercase-pieces"
  case spaces

  /// The tokenizer; pieces are learnt from texts.
  func tokenizer(texts: @autoclosure () -> [String], merges: Int) -> Tokenizer {
    switch self {
    case .characters: .characters
    case .words: .words(lowercased: false)
    case .lowercaseWords: .words(lowercased: true)
    case .pieces: .bytePairs(BytePairTokenizer(learning: texts(), mergeCount: merges))
    case .lowercasePieces: .bytePairs(BytePairTokenizer(learning: texts(), mergeCount: merges, lowercased: true))
    case .spaces: .spaces
    }
  }
}

/// What a model learns from.
struct DataOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Pairs with tabs between the columns, one a line, in UTF-8.", valueName: "FILE.tsv"))
  var pairs: String?

  @Option(
    help: """
      Pairs that the program makes itself: numerals (Chinese to English), dates (to ISO) or reversal (of 16 \
      letters, each one of a to p).
      """)
  var task: SyntheticTask?

  @OptionGroup var columns: PairsOptions

  @Option(help: ArgumentHelp("Pairs that a task makes for training (default: 8000, numerals 16000).", valueName: "N"))
  var training: Int?

  @Option(
    help: ArgumentHelp(
      "Pairs kept for choosing the best epoch (default: 1000, of a file at most a tenth).", valueName: "N"))
  var validation: Int?

  @Option(
    help: ArgumentHelp(
      "Pairs kept for a test, whose sentences are in no other part (default: 1000 of a task, none of a file).",
      valueName: "N"))
  var test: Int?

  @Option(help: ArgumentHelp("Write the test's pairs here, for `attention evaluate`.", valueName: "FILE.tsv"))
  var testPairs: String?

  @Option(
    help: ArgumentHelp(
      "characters, words, lowercase-words, pieces, lowercase-pieces or spaces (default: characters).",
      valueName: "TOKENIZER"))
  var sourceTokenizer: TokenizerArgument?

  @Option(help: ArgumentHelp("Likewise (default: lowercase-words).", valueName: "TOKENIZER"))
  var targetTokenizer: TokenizerArgument?

  @Option(help: ArgumentHelp("Merges of pieces that are learnt.", valueName: "N"))
  var merges = 8000

  @Option(
    help: ArgumentHelp("How often a token must occur in training to be known (default: 2 of a file).", valueName: "N"))
  var minimumCount: Int?

  @Option(help: ArgumentHelp("Tokens that are known at most, on each side.", valueName: "N"))
  var maximumVocabulary: Int?

  @Option(help: ArgumentHelp("Pairs with more tokens on a side are not learnt from.", valueName: "N"))
  var maximumLength = 100

  func validate() throws {
    guard (pairs == nil) != (task == nil) else {
      throw ValidationError(
        "expected --pairs FILE.tsv or --task numerals|dates|reversal, found \(pairs == nil ? "neither" : "both")")
    }
    let most = 100_000_000
    if training != nil, task == nil { throw ValidationError("--training is for --task; a file's pairs are all used") }
    try check("--training", training ?? 1000, 100...most)
    try check("--validation", validation ?? 1, 1...most)
    try check("--test", test ?? 0, 0...most)
    if testPairs != nil, test ?? (task == nil ? 0 : 1) == 0 { throw ValidationError("--test-pairs needs --test") }
    try check("--merges", merges, 1...1_000_000)
    try check("--minimum-count", minimumCount ?? 1, 1...most)
    try check("--maximum-vocabulary", maximumVocabulary ?? most, Vocabulary.specials.count + 1...most)
    try check("--maximum-length", maximumLength, 1...100_000)
    if let task {
      let all = (training ?? defaultTraining) + (validation ?? 1000) + (test ?? 1000)
      let most = task == .dates ? 73_049 : task == .numerals ? 1_000_000 : most
      guard all <= most else {
        throw ValidationError(
          "--training, --validation and --test are \(all) pairs together; \(task.rawValue) has \(most)")
      }
    }
  }

  private var defaultTraining: Int { task == .numerals ? 16_000 : 8000 }

  /// The pairs in three parts. A test that was not asked for is none.
  func split(seed: UInt64) throws(CommandFailure) -> CorpusSplit {
    if let task {
      return task.task.split(
        training: training ?? defaultTraining, validation: validation ?? 1000, test: test ?? 1000, seed: seed)
    }
    let corpus = try columns.read(pairs!)
    do throws(CorpusError) {
      return try corpus.split(
        validation: validation ?? max(1, min(1000, corpus.count / 10)), test: test ?? 0, seed: seed)
    } catch {
      throw .badInput("\(pairs!): \(error.description)")
    }
  }

  /// The tokens of both sides, from what is learnt from.
  func codecs(of corpus: ParallelCorpus) -> (source: TextCodec, target: TextCodec) {
    let defaults: (source: Tokenizer, target: Tokenizer) =
      task.map { ($0.task.sourceTokenizer, $0.task.targetTokenizer) } ?? (.characters, .words(lowercased: true))
    func codec(_ argument: TokenizerArgument?, _ tokenizer: Tokenizer, _ side: KeyPath<SentencePair, String>)
      -> TextCodec
    {
      let texts = corpus.pairs.map { $0[keyPath: side] }
      return TextCodec(
        argument?.tokenizer(texts: texts, merges: merges) ?? tokenizer, counting: texts,
        minimumCount: minimumCount ?? (task == nil ? 2 : 1), maximumSize: maximumVocabulary)
    }
    return (
      codec(sourceTokenizer, defaults.source, \.source), codec(targetTokenizer, defaults.target, \.target)
    )
  }
}

extension ParallelCorpus {
  /// Lines for a file that `attention evaluate` reads: target, tab, source.
  var tabSeparated: String {
    func field(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    return pairs.map { "\(field($0.target))\t\(field($0.source))\n" }.joined()
  }
}
