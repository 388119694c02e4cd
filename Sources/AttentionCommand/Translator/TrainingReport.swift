import Foundation
import Seq2Seq

/// What `attention train` says on stdout: lines for people, or a JSON object for each.
struct TrainingReport {
  var json: Bool

  func start(_ split: CorpusSplit, _ trainer: Trainer, pairs: Int) throws {
    guard !json else { return }
    let model = trainer.model
    let parameters = model.parameters.reduce(0) { $0 + $1.tensor.count }
    try printOutput(
      """
      pairs         \(pairs) training, \(split.validation.count) validation, \(split.test.count) test
      vocabularies  \(model.source.vocabulary.count) source, \(model.target.vocabulary.count) target
      model         \(description(of: model.configuration)), \(parameters) parameters

      """)
    if !trainer.history.isEmpty { try printOutput("resumed       after epoch \(trainer.history.count)\n") }
  }

  func epoch(_ progress: TrainingProgress) throws {
    guard let record = progress.record else { return }
    if json {
      struct Line: Encodable {
        var record: EpochRecord
        var perplexity: Double?
        var tokensPerSecond: Double
        var isBest: Bool

        private enum CodingKeys: String, CodingKey { case perplexity, tokensPerSecond, isBest }

        func encode(to encoder: any Encoder) throws {
          try record.encode(to: encoder)
          var container = encoder.container(keyedBy: CodingKeys.self)
          try container.encodeIfPresent(perplexity, forKey: .perplexity)
          try container.encode(tokensPerSecond, forKey: .tokensPerSecond)
          try container.encode(isBest, forKey: .isBest)
        }
      }
      return try printLine(
        Line(
          record: record, perplexity: record.validationPerplexity, tokensPerSecond: progress.tokensPerSecond,
          isBest: progress.isBest))
    }
    var line = "epoch \(String(format: "%3d", record.epoch))  training \(String(format: "%.4f", record.trainingLoss))"
    if let loss = record.validationLoss, let perplexity = record.validationPerplexity {
      line += "  validation \(String(format: "%.4f", loss))  perplexity \(String(format: "%.3f", perplexity))"
    }
    line += "  \(Int(progress.tokensPerSecond.rounded())) tokens/s  \(String(format: "%.1f", record.seconds)) s"
    try printOutput(line + (progress.isBest ? "  best\n" : "\n"))
  }

  func end(_ trainer: Trainer, file: String) throws {
    guard !json, let best = trainer.bestEpoch else { return }
    try printOutput("model         \(oneLine(file)), of epoch \(best)\n")
  }

  func test(_ report: EvaluationReport) throws {
    if json { return try printLine(["test": report]) }
    let search = report.searches[0]
    try printOutput(
      "test          perplexity \(report.perplexity.map { String(format: "%.3f", $0) } ?? "not known"), greedy BLEU "
        + String(format: "%.2f, exact match %.2f %%", search.bleu, 100 * search.exactMatch) + "\n")
  }

  /// The line of the progress display.
  static func line(_ progress: TrainingProgress) -> String {
    let fraction =
      (Double(progress.epoch - 1) + Double(progress.tokensDone) / Double(max(progress.tokensTotal, 1)))
      / Double(max(progress.epochs, 1))
    return """
      epoch \(progress.epoch) of \(progress.epochs)  \(ProgressDisplay.bar(fraction))  \
      \(Int(progress.tokensPerSecond.rounded())) tokens/s  loss \(String(format: "%.3f", progress.loss))  \
      \(duration(progress.secondsLeft)) left
      """
  }

  private static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<90: "\(Int(seconds.rounded())) s"
    case ..<5400: "\(Int((seconds / 60).rounded())) min"
    default: String(format: "%.1f h", min(seconds, 1e9) / 3600)
    }
  }

  private func description(of model: ModelConfiguration) -> String {
    "\(model.bidirectional ? "bidirectional " : "")\(model.cell.rawValue) of \(model.layers) "
      + "\(model.layers == 1 ? "layer" : "layers"), embedding \(model.embeddingDimensions), hidden "
      + "\(model.hiddenDimensions), attention \(model.attention.rawValue)"
      + (model.attentionalLayer ? "" : " without attentional layer")
  }

  private func printLine(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try printOutput(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
  }
}
