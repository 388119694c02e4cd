import ArgumentParser
import Attention
import Foundation
import Safetensors
import SentenceEmbedding

/// The `sentence-embedding` executable. Exit status: 0 when done, 64 on wrong usage, 65 on a bad model, 73 when the
/// output cannot be written; one line on stderr says what is wrong.
@main
struct SentenceEmbeddingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sentence-embedding",
    abstract: "Embed sentences with a sentence-transformers model such as all-MiniLM-L6-v2.",
    discussion: """
      Prints a line of JSON for each sentence, {"text": …, "embedding": […]}; the embeddings have length 1, so that \
      scalar products are cosines. MODEL holds config.json, vocab.txt and model.safetensors.
      """)

  @Argument(help: "The model's folder.")
  var model: String

  @Argument(help: "The sentences; without any, or as '-', the lines of standard input.")
  var text: [String] = []

  @Flag(help: "Print the cosines of all sentences with each other instead.")
  var similarity = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write 'embeddings' [sentences, width] to a safetensors file instead; it appears whole or not at all.",
      valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("Sentences computed at a time; changes no bit of them.", valueName: "count"))
  var batch = 32

  func validate() throws {
    guard batch > 0 else { throw ValidationError("--batch takes a positive number, not '\(batch)'") }
    guard !text.contains("-") || text == ["-"] else { throw ValidationError("'-' goes without other sentences") }
  }

  func run() throws {
    let embedder = try SentenceEmbedder(contentsOf: model)
    if similarity || output != nil {
      let sentences = readsLines ? Array(lines) : text
      let embeddings = try embedder(sentences, batchSize: batch)
      if let output { try write(embeddings, to: output) }
      if similarity { print(SimilarityTable(sentences, embeddings), terminator: "") }
    } else if readsLines {
      // As they come: a pipe may have no end.
      var sentences: [String] = []
      for line in lines {
        sentences.append(line)
        if sentences.count == batch {
          try printLines(sentences, embedder)
          sentences = []
        }
      }
      try printLines(sentences, embedder)
    } else {
      try printLines(text, embedder)
    }
  }

  private var readsLines: Bool { text.isEmpty || text == ["-"] }

  private var lines: some Sequence<String> { sequence(state: ()) { _ in readLine() } }

  private func printLines(_ sentences: [String], _ embedder: SentenceEmbedder) throws(ModelError) {
    for line in EmbeddingLine.lines(sentences, try embedder(sentences, batchSize: batch)) { print(line) }
    fflush(nil)
  }

  private func write(_ embeddings: Tensor, to path: String) throws(SafetensorsError) {
    var writer = SafetensorsWriter()
    try writer.add("embeddings", embeddings.scalars, shape: embeddings.shape)
    try writer.write(to: path)
  }

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as ModelError {
      fail(ExitStatus.badInput, error.description)
    } catch let error as SafetensorsError {
      fail(ExitStatus.cannotCreate, error.description)
    } catch {
      // Requests for help arrive as errors too.
      guard exitCode(for: error) != .success else { exit(withError: error) }
      // What follows "Help:" and "Usage:" repeats `--help`.
      let text = message(for: error)
      let end = ["\nHelp:", "\nUsage:"].compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
      fail(ExitStatus.usage, text[..<end])
    }
  }
}
