import Attention
import Foundation
import Safetensors
import Testing

@testable import Seq2Seq

/// A small training: reversal of up to 5 of 6 symbols.
struct SmallTraining {
  let model: TranslationModel
  let pairs, validation: [EncodedPair]
  var options = TrainingOptions()

  init(seed: UInt64 = 1, _ change: (inout ModelConfiguration) -> Void = { _ in }) {
    let task = ReversalTask(symbolCount: 6, lengths: 1...5)
    let split = task.split(training: 60, validation: 12, test: 0, seed: 3)
    let source = TextCodec(.spaces, counting: split.training.pairs.map(\.source))
    let target = TextCodec(.spaces, counting: split.training.pairs.map(\.target))
    var configuration = ModelConfiguration()
    configuration.embeddingDimensions = 9
    configuration.hiddenDimensions = 11
    configuration.dropout = 0.2
    change(&configuration)
    model = TranslationModel(configuration, source: source, target: target, seed: seed)
    pairs = split.training.encoded(source: source, target: target)
    validation = split.validation.encoded(source: source, target: target)
    options.epochs = 4
    options.batchSize = 16
    options.learningRate = 0.01
    options.smoothing = 0.1
    options.schedule = .plateau
    options.warmupSteps = 5
    options.seed = 7
  }

  func trained(epochs: Int? = nil) throws -> Trainer {
    var options = options
    if let epochs { options.epochs = epochs }
    var trainer = Trainer(model, options)
    try trainer.run(training: pairs, validation: validation)
    return trainer
  }
}

/// All but the time that it took.
func expectSame(_ a: Trainer, _ b: Trainer) {
  #expect(a.model == b.model)
  #expect(a.best == b.best)
  #expect(a.optimizer == b.optimizer)
  var (x, y) = (a.state, b.state)
  for index in x.history.indices { x.history[index].seconds = 0 }
  for index in y.history.indices { y.history[index].seconds = 0 }
  #expect(x == y)
}

/// The whole file of the best model.
private func modelFile(_ trainer: Trainer) throws -> Data {
  let path = temporaryFile()
  defer { try? FileManager.default.removeItem(atPath: path) }
  try trainer.best.save(to: path)
  return try Data(contentsOf: URL(fileURLWithPath: path))
}

private func temporaryFile() -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).checkpoint").path
}

@Suite struct TrainerTests {
  private struct Stop: Error {}

  @Test func sameSeedSameBits() throws {
    let (first, second) = (try SmallTraining().trained(), try SmallTraining().trained())
    expectSame(first, second)
    #expect(try modelFile(first) == modelFile(second))
    var other = SmallTraining()
    other.options.seed = 8
    #expect(try other.trained().model != SmallTraining().trained().model)
  }

  /// Each kind of model, and the step-by-step ways.
  @Test(arguments: 0..<4) func resumedIsUninterrupted(form: Int) throws {
    var training = SmallTraining {
      if form == 1 { ($0.cell, $0.layers, $0.attention) = (.gru, 2, .general) }
      if form == 2 { $0.inputFeeding = true }
    }
    if form == 3 { training.options.teacherForcing = 0.5 }
    training.options.schedule = form == 1 ? .cosine : .plateau
    let whole = try training.trained()
    let path = temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var first = Trainer(training.model, training.options)
    for _ in 0..<2 { try first.runEpoch(training: training.pairs, validation: training.validation, checkpoint: path) }
    var second = try Trainer.resume(from: path)
    expectSame(first, second)
    #expect(second.history == first.history)
    try second.run(training: training.pairs, validation: training.validation, checkpoint: path)
    expectSame(whole, second)
    #expect(try modelFile(whole) == modelFile(second))
    #expect(try TranslationModel.load(from: path) == whole.best)
  }

  /// What ends in the middle of an epoch is as it was after the one before, in memory and on the disk.
  @Test func stoppedEpochsLeaveNothing() throws {
    let training = SmallTraining()
    let path = temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var trainer = Trainer(training.model, training.options)
    try trainer.runEpoch(training: training.pairs, validation: training.validation, checkpoint: path)
    let (before, bytes) = (trainer, try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(throws: Stop.self) {
      try trainer.run(training: training.pairs, validation: training.validation, checkpoint: path) { progress in
        if progress.batch == 3, progress.record == nil { throw Stop() }
      }
    }
    expectSame(trainer, before)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    var resumed = try Trainer.resume(from: path)
    try resumed.run(training: training.pairs, validation: training.validation)
    expectSame(resumed, try training.trained())
  }

  @Test func otherPairsAreRefused() throws {
    let training = SmallTraining()
    var trainer = Trainer(training.model, training.options)
    try trainer.runEpoch(training: training.pairs, validation: [])
    #expect(throws: TrainingError.otherData) {
      try trainer.runEpoch(training: Array(training.pairs.dropLast()), validation: [])
    }
    #expect(throws: TrainingError.noPairs) { try trainer.runEpoch(training: [], validation: []) }
  }

  @Test func namesTheBatchesOfAnEpoch() throws {
    let training = SmallTraining { $0.dropout = 0 }
    var trainer = Trainer(training.model, training.options)
    for epoch in 1...2 {
      let batches = trainer.batches(of: training.pairs, epoch: epoch).map { PairBatch($0.map { training.pairs[$0] }) }
      let loss = trainer.model.loss(batches[0], smoothing: training.options.smoothing)
      var seen: [TrainingProgress] = []
      try trainer.runEpoch(training: training.pairs, validation: []) { if $0.record == nil { seen.append($0) } }
      var sums = [0]
      for batch in batches { sums.append(sums.last! + batch.targetTokenCount) }
      #expect(seen.map(\.tokensDone) == Array(sums.dropFirst()))
      // The same forward pass; u of the sum of so few tokens in double precision.
      #expect(abs(seen[0].loss * Double(loss.count) - loss.loss) <= 1e-12 * loss.loss, "epoch \(epoch)")
    }
  }

  @Test func progressCounts() throws {
    let training = SmallTraining()
    var trainer = Trainer(training.model, training.options)
    var seen: [TrainingProgress] = []
    try trainer.runEpoch(training: training.pairs, validation: training.validation) { seen.append($0) }
    let tokens = training.pairs.reduce(0) { $0 + $1.target.count + 1 }
    #expect(seen.map(\.batch) == [1, 2, 3, 4, 4])
    #expect(seen.allSatisfy { $0.batches == 4 && $0.tokensTotal == tokens && $0.epoch == 1 && $0.secondsLeft > 0 })
    #expect(seen.last?.tokensDone == tokens && seen.last?.record == trainer.history[0])
    #expect(seen.dropLast().allSatisfy { $0.record == nil } && seen.last?.isBest == true)
    // Warm-up: steps 1 to 4 of 5.
    let rates = seen.dropLast().map(\.learningRate)
    #expect(zip(rates, [0.002, 0.004, 0.006, 0.008]).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  @Test func earlyStoppingAndPlateau() {
    var options = TrainingOptions()
    options.patience = 2
    options.schedule = .plateau
    var state = TrainingState(options)
    func record(_ loss: Double) -> EpochRecord {
      EpochRecord(
        epoch: state.history.count + 1, trainingLoss: 1, validationLoss: loss, learningRate: 1, tokens: 1, seconds: 1)
    }
    let results = [3, 2, 2.5, 1.5, 1.5].map { loss in
      let isBest = state.add(record(loss))
      return (isBest, state.rateFactor, state.isFinished)
    }
    #expect(results.map(\.0) == [true, true, false, true, false])
    #expect(results.map(\.1) == [1, 1, 0.5, 0.5, 0.25])
    #expect(results.allSatisfy { !$0.2 } && state.bestEpoch == 4)
    _ = state.add(record(1.6))
    #expect(state.isFinished)
  }

  /// A rate without bound makes the loss infinite, which is told, and changes nothing.
  @Test func divergence() throws {
    var training = SmallTraining()
    training.options.learningRate = 1e6
    training.options.warmupSteps = 0
    training.options.clip = nil
    training.options.epochs = 200
    var trainer = Trainer(training.model, training.options)
    do {
      try trainer.run(training: training.pairs, validation: training.validation)
      #expect(trainer.history.allSatisfy { $0.trainingLoss.isFinite })
    } catch let error as TrainingError {
      guard case .diverged = error else { throw error }
    }
  }

  @Test func damagedCheckpoints() throws {
    let training = SmallTraining()
    let path = temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try training.model.save(to: path)
    let error = #expect(throws: ModelError.self) { try Trainer.resume(from: path) }
    #expect(error?.description.contains("expected a training checkpoint") == true)
    try Trainer(training.model, training.options).saveCheckpoint(to: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes.removeLast(10)
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: ModelError.self) { try Trainer.resume(from: path) }
  }

  @Test func learningCurve() throws {
    let trainer = try SmallTraining().trained(epochs: 3)
    let svg = LearningCurve(trainer.history).svg
    #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n"))
    #expect(svg.components(separatedBy: "<polyline").count == 3)
    #expect(svg.components(separatedBy: "<circle").count == 8)
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    #expect(LearningCurve([]).svg.contains("<svg"))
  }

  #if os(Linux)
    /// Large enough to be spread over threads.
    @Test func threads() throws {
      typealias SetThreads = @convention(c) (Int32) -> Void
      let symbol = try #require(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "omp_set_num_threads"))
      let setThreads = unsafeBitCast(symbol, to: SetThreads.self)
      let before = AttentionSystem.maximumThreads
      defer { setThreads(Int32(before)) }
      let training = SmallTraining { ($0.embeddingDimensions, $0.hiddenDimensions) = (144, 240) }
      func run(_ threads: Int) throws -> Trainer {
        setThreads(Int32(threads))
        return try training.trained(epochs: 1)
      }
      let one = try run(1)
      for threads in [2, 3] {
        let several = try run(threads)
        expectSame(one, several)
        #expect(try modelFile(one) == modelFile(several))
      }
    }
  #endif
}
