import ArgumentParser
import Seq2Seq

/// Which columns of a file of pairs are meant.
struct PairsOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Column of the sentences to translate, from 1.", valueName: "N"))
  var sourceColumn = 2

  @Option(help: ArgumentHelp("Column of their translations, from 1.", valueName: "N"))
  var targetColumn = 1

  func validate() throws {
    try check("--source-column", sourceColumn, 1...1_000_000)
    try check("--target-column", targetColumn, 1...1_000_000)
    if sourceColumn == targetColumn { throw ValidationError("--source-column and --target-column are the same") }
  }

  /// The pairs of a file; blank ones that were left out are told on stderr.
  func read(_ path: String) throws(CommandFailure) -> ParallelCorpus {
    do throws(CorpusError) {
      let corpus = try ParallelCorpus(contentsOf: path, sourceColumn: sourceColumn, targetColumn: targetColumn)
      if corpus.halfEmptyLines > 0 {
        remark("\(path): \(counted(corpus.halfEmptyLines, "line")) without one of the sentences left out")
      }
      return corpus
    } catch {
      throw .badInput(error.description)
    }
  }
}
