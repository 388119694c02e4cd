import Seq2Seq

/// Says on stderr, in one line, what a user should know and what does not end the command.
func remark(_ message: String) { standardError("attention: \(oneLine(message))\n") }

/// `1 line`, `2 lines`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension ParallelCorpus {
  /// Remarks on sources of a file that are translated in part, or of which the model knows nothing.
  func remarkOnSources(of file: String, for model: TranslationModel, maximumLength: Int) {
    let sources = references().map { model.source.encode($0.source) }
    let long = sources.count { $0.count > maximumLength }
    if long > 0 {
      remark(
        "\(file): of \(long) of \(counted(sources.count, "source")) the tokens after the first \(maximumLength) are "
          + "left out (--maximum-length)")
    }
    let unknown = sources.count { !$0.isEmpty && $0.allSatisfy { $0 == Vocabulary.unknown } }
    if unknown > 0 {
      remark("\(file): the model knows no token of \(unknown) of \(counted(sources.count, "source"))")
    }
  }
}

/// Remarks on a vocabulary that knows no token at all.
func remarkOnVocabularies(of file: String, _ model: TranslationModel) {
  for (side, codec) in [("sources", model.source), ("targets", model.target)]
  where codec.vocabulary.count == Vocabulary.specials.count {
    remark("\(file): no token of the \(side) is frequent enough to be known (--minimum-count)")
  }
}
