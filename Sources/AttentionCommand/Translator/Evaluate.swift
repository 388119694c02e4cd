import ArgumentParser
import Seq2Seq

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a model on sentence pairs: perplexity, BLEU, chrF, exact match; greedy and beam search.",
    discussion: """
      Each distinct source is translated once and scored against all its targets in the file. BLEU and chrF are \
      sacreBLEU's, with the signatures that they must be quoted with; case is ignored where the model writes lower \
      case. Perplexity is that of a target token, ends included, over all pairs.
      """)

  @Argument(help: "Model file.")
  var model: String

  @Option(help: ArgumentHelp("Pairs with tabs between the columns, one a line.", valueName: "FILE.tsv"))
  var pairs: String

  @OptionGroup var columns: PairsOptions

  @OptionGroup var options: SearchOptions

  @Option(help: ArgumentHelp("How BLEU divides sentences: 13a, none, char, intl or zh.", valueName: "TOKENIZER"))
  var tokenize: BLEUTokenization = .mteval13a

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: ThreadOptions

  func run() throws {
    threads.apply()
    let model = try TranslationModel(file: self.model)
    let corpus = try columns.read(pairs)
    corpus.remarkOnSources(of: pairs, for: model, maximumLength: options.maximumLength)
    var report = EvaluationReport(corpus: corpus, perplexity: model.perplexity(of: corpus))
    for beam in Set([1, options.beam]).sorted() {
      report.add(
        try translate(model, corpus.references().map(\.source), beam: beam), beam: beam, corpus: corpus,
        tokenization: tokenize, ignoringCase: model.writesLowerCase)
    }
    try printOutput((json ? try encodeJSON(report) : report.text) + "\n")
  }

  private func translate(_ model: TranslationModel, _ sources: [String], beam: Int) throws -> [String] {
    model.bestTranslations(
      of: sources, options: options.translationOptions(beam: beam), label: beam == 1 ? "greedy" : "beam \(beam)")
  }
}

extension BLEUTokenization: ExpressibleByArgument {}
