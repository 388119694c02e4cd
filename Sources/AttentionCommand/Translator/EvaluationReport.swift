import Foundation
import Seq2Seq

/// What `attention evaluate` prints.
struct EvaluationReport: Encodable {
  struct Search: Encodable {
    var beam: Int
    var bleu, chrF, exactMatch: Double
    var bleuDetails: String
    /// Words of the translations ÷ words of the closest references.
    var lengthRatio: Double
  }

  var pairs, sources: Int
  /// Of a target token, ends included; nil where no pair has one.
  var perplexity: Double?
  var searches: [Search] = []
  var bleuSignature = ""
  var chrFSignature = ""

  init(corpus: ParallelCorpus, perplexity: Double?) {
    pairs = corpus.count
    sources = corpus.references().count
    self.perplexity = perplexity
  }

  /// Scores translations of the corpus' distinct sources, in their order.
  mutating func add(
    _ translations: [String], beam: Int, corpus: ParallelCorpus, tokenization: BLEUTokenization, ignoringCase: Bool
  ) {
    let references = corpus.references().map(\.targets)
    let bleu = BLEU(tokenization: tokenization, lowercase: ignoringCase)
    let chrF = ChrF(lowercase: ignoringCase)
    let score = bleu.corpusScore(translations, references: references)
    func compared(_ text: String) -> String { ignoringCase ? text.lowercased() : text }
    searches.append(
      Search(
        beam: beam, bleu: score.score, chrF: chrF.corpusScore(translations, references: references),
        exactMatch: exactMatch(translations.map(compared), references: references.map { $0.map(compared) }),
        bleuDetails: score.description, lengthRatio: score.lengthRatio))
    bleuSignature = bleu.signature(references: references)
    chrFSignature = chrF.signature(references: references)
  }

  var text: String {
    var lines = [
      "pairs           \(pairs), \(sources) different sources",
      "perplexity      \(perplexity.map { String(format: "%.3f", $0) } ?? "not known: no pair has a token")",
      "                 BLEU  chrF2  exact match",
    ]
    for search in searches {
      let name = search.beam == 1 ? "greedy" : "beam \(search.beam)"
      let scores = String(
        format: "%6.2f %6.2f %10.2f %%", search.bleu, search.chrF, 100 * search.exactMatch)
      lines.append(name.padding(toLength: 15, withPad: " ", startingAt: 0) + scores)
    }
    lines += ["BLEU  \(bleuSignature)", "chrF2 \(chrFSignature)"]
    return lines.joined(separator: "\n")
  }
}
