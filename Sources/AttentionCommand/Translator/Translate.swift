import ArgumentParser
import Seq2Seq

struct Translate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Translate a text, or the lines of stdin, with a model that `attention train` made.",
    discussion: """
      A line in, a line out, in the same order; a blank line gives an empty one. What the model's vocabulary lacks is \
      copied from the source, from where the model looked.

      With --n-best there are up to N lines for a sentence, the best first: its number from 1, the score (log \
      probability divided for the length) and the text, with tabs between them. With --json there is an object a line, \
      with the tokens of both sides and, with --align, the attention [tokens, sourceTokens].
      """)

  @Argument(help: "Model file.")
  var model: String

  @Argument(help: "What to translate; - or nothing: the lines of stdin.")
  var text: String?

  @OptionGroup var options: SearchOptions

  @Option(help: ArgumentHelp("Translations of each sentence, at most as many as --beam.", valueName: "N"))
  var nBest: Int?

  @Flag(help: "Draw the alignment behind each translation: a row for each word, a column for each of the source.")
  var align = false

  @Option(
    help: ArgumentHelp("Draw the alignment of one sentence into a file.", valueName: "FILE.svg|FILE.html"))
  var plot: String?

  @Flag(help: "Print JSON, an object a line.")
  var json = false

  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    try check("--n-best", nBest ?? 1, 1...options.beam)
  }

  func run() throws {
    let format = try plot.map { path throws(CommandFailure) in try PictureFormat(path: path) }
    threads.apply()
    let model = try TranslationModel(file: self.model)
    if format != nil, !model.hasAttention {
      throw CommandFailure.usage("--plot: \(self.model) has no attention to draw")
    }
    var reader = LineReader()
    if plot != nil || text.map({ $0 != "-" }) == true {
      try translateOne(model, try oneText(&reader), format)
    } else {
      var number = 0
      while true {
        let lines = try reader.lines(upTo: options.batch * 4)
        if lines.isEmpty { break }
        try translate(model, lines, after: number)
        number += lines.count
      }
    }
  }

  /// The argument, or the only sentence of stdin.
  private func oneText(_ reader: inout LineReader) throws(CommandFailure) -> String {
    if let text, text != "-" { return text }
    var lines: [String] = []
    while true {
      let next = try reader.lines(upTo: 1)
      guard let line = next.first else { break }
      if line.contains(where: { !$0.isWhitespace }) { lines.append(line) }
      guard lines.count <= 1 else { throw .badInput("stdin: --plot draws one sentence, and there are more") }
    }
    guard let line = lines.first else { throw .badInput("stdin: --plot draws one sentence, and there is none") }
    return line
  }

  private func translateOne(_ model: TranslationModel, _ text: String, _ format: PictureFormat?) throws {
    // A text of several lines is one sentence: tokenizers take line breaks as spaces.
    let translations = try translate(model, [text], after: 0)
    guard let plot, let format else { return }
    let picture = try translations[0][0].alignmentPicture(format)
    try writeFile(plot, picture)
  }

  @discardableResult
  private func translate(_ model: TranslationModel, _ lines: [String], after count: Int) throws -> [[Translation]] {
    for (index, line) in lines.enumerated() { remark(model, line, number: count + index + 1) }
    let options = options.translationOptions(hypothesisCount: nBest ?? 1)
    let translations = model.translations(of: lines, options: options)
    let writer = TranslationWriter(format: json ? .json : nBest != nil ? .table : .text, withAlignment: align)
    var text = ""
    for (index, line) in lines.enumerated() {
      text += try writer.lines(line, number: count + index + 1, translations[index])
    }
    try printOutput(text)
    return translations
  }

  /// Says on stderr what a translation will lack.
  private func remark(_ model: TranslationModel, _ line: String, number: Int) {
    let tokens = model.source.encode(line)
    let place = text == nil || text == "-" ? "line \(number)" : "the text"
    if tokens.count > options.maximumLength {
      standardError(
        "attention: \(place) has \(tokens.count) tokens; those after the first \(options.maximumLength) are left out "
          + "(--maximum-length)\n")
    }
    if !tokens.isEmpty, tokens.allSatisfy({ $0 == Vocabulary.unknown }) {
      standardError("attention: \(place): the model knows none of its tokens, of which there are \(tokens.count)\n")
    }
  }
}
