import Foundation
import Testing

/// `attention evaluate`.
@Suite struct EvaluateTests {
  private struct Report: Decodable {
    struct Search: Decodable {
      var beam: Int
      var bleu, chrF, exactMatch: Double
    }
    var pairs, sources: Int
    var perplexity: Double
    var searches: [Search]
    var bleuSignature, chrFSignature: String
  }

  private func report(_ outcome: Outcome) throws -> Report {
    try #require(outcome.ending == .exit(0), "\(outcome.error)")
    return try JSONDecoder().decode(Report.self, from: Data(outcome.output))
  }

  /// References that are what the model says: all scores are 100 and each source counts once.
  @Test func scoresOfItsOwnTranslations() throws {
    let translator = try Translator()
    let sources = ["三", "一万", "五千零二", "三"]
    let said = try translator.translate(input: Array(sources.joined(separator: "\n").utf8), "--beam", "1").lines
    try #require(said.allSatisfy { !$0.isEmpty })
    let pairs = zip(said, sources).map { "\($0)\t\($1)\n" }.joined() + "something else\t三\n"
    let path = try translator.directory.store(Array(pairs.utf8), as: "pairs.tsv")
    let found = try report(attention("evaluate", translator.model, "--pairs", path, "--beam", "3", "--json"))
    #expect(found.pairs == 5 && found.sources == 3 && found.searches.map(\.beam) == [1, 3])
    #expect(found.searches[0].exactMatch == 1 && found.perplexity > 1)
    // Case is ignored, for the task's words are lower case.
    #expect(found.bleuSignature == "nrefs:var|case:lc|eff:no|tok:13a|smooth:exp")
    #expect(found.chrFSignature == "nrefs:var|case:lc|eff:yes|nc:6|nw:0|space:no")
    let one = try report(attention("evaluate", translator.model, "--pairs", path, "--beam", "1", "--json"))
    #expect(one.searches.map(\.beam) == [1])
    let text = try attention("evaluate", translator.model, "--pairs", path).text
    for word in ["greedy", "beam 5", "100.00 %", "perplexity", found.bleuSignature] { #expect(text.contains(word)) }
    // Other columns: the translations are what is translated.
    let turned = try attention(
      "evaluate", translator.model, "--pairs", path, "--source-column", "1", "--target-column", "2", "--json")
    #expect(try report(turned).sources <= 5)
  }

  /// The test that training tells of is what `evaluate` says of the same pairs and model.
  @Test func agreesWithTraining() throws {
    struct Line: Decodable { var test: Report? }
    let directory = try TemporaryDirectory()
    let (model, pairs) = (directory.file("model"), directory.file("test.tsv"))
    let outcome = try attention(
      ["train", "--task", "reversal", "-o", model, "--test-pairs", pairs, "--json", "--epochs", "2"] + Translator.small)
    let told = try #require(
      try outcome.lines.compactMap { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).test }.first)
    let found = try report(attention("evaluate", model, "--pairs", pairs, "--beam", "1", "--json"))
    // The pairs come in other batches: sums of the same numbers in another order.
    #expect(abs(found.perplexity - told.perplexity) <= 1e-12 * told.perplexity)
    #expect(found.searches[0].bleu == told.searches[0].bleu && found.searches[0].chrF == told.searches[0].chrF)
    #expect(found.pairs == 30 && told.pairs == 30)
  }

  @Test func badInput() throws {
    let translator = try Translator()
    let missing = translator.file("none.tsv")
    expectFailure(
      try attention("evaluate", translator.model, "--pairs", missing), status: 65, naming: [missing, "No such file"])
    let cut = try translator.directory.store(Array("one\t一\ntwo\n".utf8), as: "cut.tsv")
    expectFailure(
      try attention("evaluate", translator.model, "--pairs", cut), status: 65, naming: ["cut.tsv:2", "2 columns"])
    let latin = try translator.directory.store([0xFF, 0xFE, 0x0A], as: "latin.tsv")
    expectFailure(
      try attention("evaluate", translator.model, "--pairs", latin), status: 65, naming: ["latin.tsv:1", "UTF-8"])
    expectFailure(
      try attention("evaluate", translator.model, "--pairs", cut, "--tokenize", "x"), status: 64, naming: ["--tokenize"]
    )
    expectFailure(try attention("evaluate", translator.model), status: 64, naming: ["--pairs"])
  }
}
