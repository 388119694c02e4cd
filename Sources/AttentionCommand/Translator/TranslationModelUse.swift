import Foundation
import Seq2Seq
import Synchronization

extension TranslationModel {
  /// The model of a file.
  init(file path: String) throws(CommandFailure) {
    do throws(ModelError) {
      self = try TranslationModel.load(from: path)
    } catch {
      throw .badInput(error.description)
    }
  }

  /// Whether there is an alignment to draw.
  var hasAttention: Bool { configuration.attention != .none }

  /// Whether it writes lower case only, so that case should not be scored.
  var writesLowerCase: Bool {
    switch target.tokenizer {
    case .words(let tokenizer): tokenizer.lowercased
    case .bytePairs(let tokenizer): tokenizer.lowercased
    case .characters, .spaces: false
    }
  }

  /// The perplexity of all target tokens and ends; nil where no pair has a token on both sides.
  func perplexity(of corpus: ParallelCorpus) -> Double? {
    let pairs = corpus.encoded(source: source, target: target)
    guard !pairs.isEmpty else { return nil }
    let loss = ProgressCounter(total: 0).shown("perplexity") { self.loss(pairs) }
    return Seq2Seq.perplexity(negativeLogLikelihood: loss.negativeLogLikelihood, tokenCount: loss.tokenCount)
  }

  /// The best translation of each text; on a terminal `label` tells how far it has come.
  func bestTranslations(of texts: [String], options: TranslationOptions, label: String) -> [String] {
    let counter = ProgressCounter(total: texts.count)
    return counter.shown(label) {
      // Pieces large enough to find sentences of like lengths in.
      let size = options.batchSize * 8
      return stride(from: 0, to: texts.count, by: size).flatMap { start in
        let piece = Array(texts[start..<min(start + size, texts.count)])
        let translations = translations(of: piece, options: options).map { $0[0].text }
        counter.add(piece.count)
        return translations
      }
    }
  }
}

/// How much of some work is done.
final class ProgressCounter: Sendable {
  private let done = Mutex(0)
  private let total: Int

  /// `total` 0: not known.
  init(total: Int) { self.total = total }

  func add(_ count: Int) { done.withLock { $0 += count } }

  /// 0 to 1; nil where the total is not known.
  var fraction: Double? { total > 0 ? Double(done.withLock { $0 }) / Double(total) : nil }

  /// Runs `body` and shows on a terminal how far it has come.
  func shown<Result>(_ label: String, _ body: () -> Result) -> Result {
    guard ProgressDisplay.isWanted else { return body() }
    let display = ProgressDisplay(label) { self.fraction }
    defer { display.stop() }
    return body()
  }
}

/// Writes to stdout, or fails with the status of what cannot be written.
func printOutput(_ text: String) throws(CommandFailure) {
  do {
    try writeStandardOutput(text)
  } catch {
    throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
  }
}
