import ArgumentParser
import Attention
import Seq2Seq
import Synchronization

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a translator on sentence pairs, or on pairs that the program makes itself.",
    discussion: """
      A file of pairs is divided into parts that share no sentence, not even over others: for training, for choosing \
      the best epoch and, where asked for, for a test. Each epoch says a line: losses in nats per target token, \
      perplexity of the validation pairs, target tokens a second, time. MODEL is the best epoch's.

      MODEL.checkpoint holds what is needed to go on; it is written after each epoch, whole or not at all. After an \
      interruption the same command with --resume goes on, to the bits that an uninterrupted run would have given; \
      also with more --epochs, unless the schedule is cosine, whose rates follow from their number. Equal seeds give \
      equal bits at any number of threads.
      """)

  @OptionGroup(title: "Data") var data: DataOptions

  @OptionGroup(title: "Model") var form: ModelOptions

  @OptionGroup(title: "Training") var training: TrainingArguments

  @Option(name: .shortAndLong, help: ArgumentHelp("Model file to write, safetensors.", valueName: "MODEL"))
  var output: String

  @Flag(help: "Go on from MODEL.checkpoint.")
  var resume = false

  @Option(help: ArgumentHelp("Draw the losses over the epochs, after each.", valueName: "FILE.svg"))
  var curve: String?

  @Option(
    help: ArgumentHelp(
      "Begin no epoch that would end later than this; --resume goes on.", valueName: "SECONDS"))
  var timeLimit: Double?

  @Flag(help: "Print JSON, an object a line.")
  var json = false

  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    if let timeLimit, !(timeLimit > 0) { throw ValidationError("--time-limit is \(timeLimit); it must be positive") }
  }

  /// Where training goes on from; a device has none beside it.
  private var checkpoint: String? { isDevice(output) ? nil : output + ".checkpoint" }

  func run() throws {
    if let curve, try PictureFormat(path: curve) != .svg {
      throw CommandFailure.usage("--curve: expected a file name that ends in .svg, found '\(curve)'")
    }
    for path in [output, checkpoint, curve, data.testPairs].compactMap({ $0 }) { try checkWritable(path) }
    threads.apply()
    AttentionSystem.keepFreedMemory()
    let resumed = resume ? try resumedTrainer() : nil
    let split = try data.split(seed: resumed?.options.seed ?? training.seed ?? 0)
    var trainer = resumed ?? newTrainer(split)
    if let path = data.testPairs { try writeFile(path, split.test.tabSeparated) }
    let (source, target) = (trainer.model.source, trainer.model.target)
    let pairs = split.training.encoded(source: source, target: target, maximumLength: data.maximumLength)
    let others = split.validation.encoded(source: source, target: target, maximumLength: data.maximumLength)
    try checkKept(of: split, pairs.count, others.count, trainer.model)
    let report = TrainingReport(json: json)
    try report.start(split, trainer, pairs: pairs.count)
    try train(&trainer, pairs, others, report)
    try save(trainer)
    try report.end(trainer, file: output)
    if !split.test.pairs.isEmpty { try report.test(evaluation(of: trainer.best, split.test)) }
  }

  /// Says what of the pairs is not learnt from; fails where that is all of them.
  private func checkKept(
    of split: CorpusSplit, _ training: Int, _ validation: Int, _ model: TranslationModel
  ) throws(CommandFailure) {
    let file = data.pairs ?? data.task?.rawValue ?? ""
    guard training > 0 else {
      throw .badInput(
        "\(file): all of \(counted(split.training.count, "training pair")) have no token or more than \(data.maximumLength) "
          + "on a side (--maximum-length)")
    }
    let all = split.training.count + split.validation.count
    let left = all - training - validation
    if left > 0 {
      remark(
        "\(file): \(left) of \(counted(all, "pair")) left out, of no token or more than \(data.maximumLength) on a "
          + "side (--maximum-length)")
    }
    remarkOnVocabularies(of: file, model)
  }

  private func newTrainer(_ split: CorpusSplit) -> Trainer {
    let codecs = data.codecs(of: split.training)
    return Trainer(
      TranslationModel(
        form.applied(to: ModelOptions.defaults(isTask: data.task != nil)), source: codecs.source, target: codecs.target,
        seed: training.seed ?? 0),
      training.applied(to: TrainingArguments.defaults(data.task)))
  }

  /// That of the checkpoint. What was given must be what it was trained with, but for epochs and patience.
  private func resumedTrainer() throws(CommandFailure) -> Trainer {
    guard let checkpoint else { throw .usage("--resume: \(output) is no file, and has no checkpoint beside it") }
    var trainer: Trainer
    do throws(ModelError) {
      trainer = try Trainer.resume(from: checkpoint)
    } catch {
      throw .badInput(error.description)
    }
    let old = trainer.options
    let options = training.applied(to: old)
    var comparable = options
    (comparable.epochs, comparable.patience) = (old.epochs, old.patience)
    guard comparable == old, form.applied(to: trainer.model.configuration) == trainer.model.configuration else {
      throw .usage(
        "--resume: \(checkpoint) was trained with other options; only --epochs, --patience and --time-limit may change")
    }
    if options.schedule == .cosine, options.epochs != old.epochs {
      remark(
        "--resume: the cosine is now that of \(options.epochs) epochs, not of \(old.epochs): "
          + "the model will not be that of an uninterrupted run")
    }
    trainer.options = options
    return trainer
  }

  private func train(
    _ trainer: inout Trainer, _ pairs: [EncodedPair], _ others: [EncodedPair], _ report: TrainingReport
  ) throws {
    let start = ContinuousClock.now
    while !trainer.isFinished {
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      if let timeLimit, let last = trainer.history.last, elapsed + last.seconds > timeLimit { break }
      let ended = try runEpoch(&trainer, pairs, others)
      if ended.isBest { try save(trainer) }
      if let curve { try writeFile(curve, LearningCurve(trainer.history).svg) }
      try report.epoch(ended)
    }
  }

  private func runEpoch(
    _ trainer: inout Trainer, _ pairs: [EncodedPair], _ others: [EncodedPair]
  ) throws -> TrainingProgress {
    let latest = LatestProgress()
    let display = ProgressDisplay.isWanted ? ProgressDisplay { latest.line } : nil
    defer { display?.stop() }
    do {
      try trainer.runEpoch(training: pairs, validation: others, checkpoint: checkpoint) { latest.set($0) }
    } catch let error as ModelError {
      throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
    } catch let error as TrainingError {
      throw CommandFailure.badInput("\(data.pairs ?? data.task?.rawValue ?? ""): \(error.description)")
    }
    return latest.progress!
  }

  private func save(_ trainer: Trainer) throws(CommandFailure) {
    do throws(ModelError) {
      try trainer.best.save(to: output)
    } catch {
      throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
    }
  }

  private func evaluation(of model: TranslationModel, _ corpus: ParallelCorpus) -> EvaluationReport {
    var report = EvaluationReport(corpus: corpus, perplexity: model.perplexity(of: corpus))
    let translations = model.bestTranslations(
      of: corpus.references().map(\.source),
      options: TranslationOptions(search: .greedy, maximumSourceLength: SearchOptions.defaultMaximumLength),
      label: "test")
    report.add(
      translations, beam: 1, corpus: corpus, tokenization: .mteval13a, ignoringCase: model.writesLowerCase)
    return report
  }
}

/// What training said last, for the display.
private final class LatestProgress: Sendable {
  private let latest = Mutex<TrainingProgress?>(nil)

  func set(_ progress: TrainingProgress) { latest.withLock { $0 = progress } }

  var progress: TrainingProgress? { latest.withLock { $0 } }

  var line: String { progress.map(TrainingReport.line) ?? "" }
}
