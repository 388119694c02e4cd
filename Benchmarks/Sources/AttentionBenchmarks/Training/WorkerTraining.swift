import ArgumentParser
import Foundation
import Seq2Seq

/// What is to be trained, and where the other system finds it.
struct TrainingRequest: Decodable {
  /// Target, tab, source: read, divided and made tokens of as `attention train --pairs` does by default.
  var pairs: String
  /// Pairs that are kept from training.
  var validation, test: Int
  var embedding, hidden: Int
  var attentionalLayer: Bool
  var dropout, learningRate, clip: Double
  /// Written: the model before the first step, and the batches of the first epoch.
  var model, batches: String

  var configuration: ModelConfiguration {
    var form = ModelConfiguration()
    form.embeddingDimensions = embedding
    form.hiddenDimensions = hidden
    form.attentionalLayer = attentionalLayer
    form.dropout = dropout
    return form
  }

  var options: TrainingOptions {
    var options = TrainingOptions()
    options.learningRate = learningRate
    options.clip = clip
    return options
  }
}

/// One epoch of a training, held up between batches until the parent asks for more.
///
/// `Trainer.runEpoch` calls back after each batch, and the call waits for the parent: what is timed is the code of
/// `attention train`, from one batch's end to another's.
struct WorkerTraining {
  private var trainer: Trainer
  private let pairs: [EncodedPair]

  init(_ command: WorkerCommand) throws {
    guard command.do == .open, let request = command.training else {
      throw ValidationError("expected \"open\" with a training before anything else")
    }
    let split = try ParallelCorpus(contentsOf: request.pairs)
      .split(validation: request.validation, test: request.test, seed: 0)
    func codec(_ tokenizer: Tokenizer, _ side: KeyPath<SentencePair, String>) -> TextCodec {
      TextCodec(tokenizer, counting: split.training.pairs.map { $0[keyPath: side] }, minimumCount: 2)
    }
    let (source, target) = (codec(.characters, \.source), codec(.words(lowercased: true), \.target))
    pairs = split.training.encoded(source: source, target: target, maximumLength: 100)
    let model = TranslationModel(request.configuration, source: source, target: target, seed: 0)
    trainer = Trainer(model, request.options)
    let batches = trainer.batches(of: pairs, epoch: 1)
    try model.save(to: request.model)
    try JSONEncoder().encode(batches.map { Batch(PairBatch($0.map { pairs[$0] })) })
      .write(to: URL(fileURLWithPath: request.batches))
    try say(
      Opened(
        parameters: model.parameters.reduce(0) { $0 + $1.tensor.count }, pairs: pairs.count, batches: batches.count,
        tokens: pairs.reduce(0) { $0 + $1.target.count + 1 }, sourceVocabulary: source.vocabulary.count,
        targetVocabulary: target.vocabulary.count))
  }

  /// Serves `train` until another command comes, which it returns.
  mutating func run() throws -> WorkerCommand? {
    var next = try command()
    guard let wanted = next?.batches, next?.do == .train else { return next }
    var slice = Slice(wanted)
    do {
      try trainer.runEpoch(training: pairs, validation: []) { progress in
        guard progress.record == nil else { return }
        slice.add(progress)
        guard slice.isDone || progress.batch == progress.batches else { return }
        try say(slice.answer)
        next = try command()
        guard let more = next?.batches, next?.do == .train, progress.batch < progress.batches else { throw Stopped() }
        slice = Slice(more, after: slice)
      }
    } catch is Stopped {}
    return next
  }

  private struct Stopped: Error {}

  /// Unpadded tokens, in the batch's order of rows.
  private struct Batch: Encodable {
    var source, target: [[Int]]

    init(_ batch: PairBatch) {
      source = zip(batch.source.ids, batch.source.lengths).map { Array($0.prefix($1)) }
      target = zip(batch.decoderInput.ids, batch.decoderInput.lengths).map { Array($0.prefix($1).dropFirst()) }
    }
  }

  private struct Opened: Encodable {
    var parameters, pairs, batches, tokens, sourceVocabulary, targetVocabulary: Int
  }
}

/// Batches between two answers.
private struct Slice {
  struct Answer: Encodable {
    var seconds: Double
    var tokens: Int
    /// Of each batch, per target token.
    var losses: [Double]
  }

  private let wanted: Int
  private let start = ContinuousClock.now
  private let tokensBefore: Int
  private var tokensDone: Int
  /// Summed over the tokens done.
  private var lossSum: Double
  private var losses: [Double] = []
  private(set) var answer = Answer(seconds: 0, tokens: 0, losses: [])

  init(_ wanted: Int, after last: Slice? = nil) {
    self.wanted = wanted
    tokensDone = last?.tokensDone ?? 0
    lossSum = last?.lossSum ?? 0
    tokensBefore = tokensDone
  }

  var isDone: Bool { losses.count >= wanted }

  /// A batch has ended.
  mutating func add(_ progress: TrainingProgress) {
    let sum = progress.loss * Double(progress.tokensDone)
    losses.append((sum - lossSum) / Double(progress.tokensDone - tokensDone))
    (tokensDone, lossSum) = (progress.tokensDone, sum)
    if isDone || progress.batch == progress.batches {
      answer = Answer(
        seconds: (ContinuousClock.now - start) / .seconds(1), tokens: tokensDone - tokensBefore, losses: losses)
    }
  }
}
