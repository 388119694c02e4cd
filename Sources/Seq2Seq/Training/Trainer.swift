import Attention

/// Trains a ``TranslationModel``: batches of like lengths, cross-entropy over real target positions, Adam, clipping,
/// schedules, early stopping; keeps the best model and, where asked to, a checkpoint from which training goes on with
/// the bits it would have had.
///
/// Equal seeds give equal bits, at any number of threads.
///
/// ```swift
/// var trainer = Trainer(model, options)
/// try trainer.run(training: pairs, validation: others, checkpoint: "model.checkpoint") { print($0.loss) }
/// try trainer.best.save(to: "model.safetensors")
/// ```
public struct Trainer: Sendable {
  /// The model after the last epoch that ended.
  public internal(set) var model: TranslationModel
  /// The model of the epoch with the least validation loss; of the training loss without validation pairs.
  public internal(set) var best: TranslationModel
  var optimizer: Optimizer
  var state: TrainingState

  /// Training that is about to begin.
  public init(_ model: TranslationModel, _ options: TrainingOptions) {
    if let problem = options.problem { fatalError("Trainer: \(problem)") }
    self.model = model
    best = model
    optimizer = Optimizer(model)
    state = TrainingState(options)
  }

  init(_ model: TranslationModel, best: TranslationModel, _ optimizer: Optimizer, _ state: TrainingState) {
    self.model = model
    self.best = best
    self.optimizer = optimizer
    self.state = state
  }

  /// How it trains. After resuming, `epochs` and `patience` may be raised to go on; a change of anything else makes it
  /// another training.
  public var options: TrainingOptions {
    get { state.options }
    set {
      if let problem = newValue.problem { fatalError("Trainer: \(problem)") }
      state.options = newValue
    }
  }

  /// The epochs that ended.
  public var history: [EpochRecord] { state.history }
  /// The epoch of ``best``, counted from 1; nil before the first has ended.
  public var bestEpoch: Int? { state.bestEpoch }
  /// Whether all epochs are done, or early stopping has set in.
  public var isFinished: Bool { state.isFinished }

  /// Trains until ``isFinished``.
  ///
  /// - Parameters:
  ///   - training: Pairs to train on.
  ///   - validation: Pairs to choose the best model by; may be none.
  ///   - checkpoint: A file that is replaced, whole or not at all, after each epoch.
  ///   - progress: Called after each batch and each epoch. What it throws ends the training: the epoch under way is lost,
  ///     those before are kept.
  /// - Throws: ``TrainingError``, ``ModelError`` for the checkpoint, and what `progress` throws.
  public mutating func run(
    training: [EncodedPair], validation: [EncodedPair], checkpoint: String? = nil,
    progress: (TrainingProgress) throws -> Void = { _ in }
  ) throws {
    while !isFinished {
      try runEpoch(training: training, validation: validation, checkpoint: checkpoint, progress: progress)
    }
  }

  /// Trains one epoch more, as ``run(training:validation:checkpoint:progress:)`` does.
  public mutating func runEpoch(
    training: [EncodedPair], validation: [EncodedPair], checkpoint: String? = nil,
    progress: (TrainingProgress) throws -> Void = { _ in }
  ) throws {
    guard !training.isEmpty else { throw TrainingError.noPairs }
    // On a copy: an epoch that does not end leaves nothing behind.
    var next = self
    try next.checkData(training)
    var meter = ProgressMeter(state, training, batches: next.schedule(training).batchCount)
    try next.train(training, &meter, progress)
    let validationLoss = next.validationLoss(validation)
    if let validationLoss, !validationLoss.isFinite {
      throw TrainingError.diverged(epoch: meter.epoch, batch: meter.batches)
    }
    let record = meter.record(validationLoss: validationLoss)
    let isBest = next.state.add(record)
    if isBest { next.best = next.model }
    if let checkpoint { try next.saveCheckpoint(to: checkpoint) }
    self = next
    try progress(meter.progress(record: record, isBest: isBest))
  }

  /// The batches of an epoch, counted from 1, as indices of the pairs, in the order in which
  /// ``runEpoch(training:validation:checkpoint:progress:)`` takes them: for training another program on the same ones.
  /// A batch is `PairBatch` of its pairs in this order.
  public func batches(of pairs: [EncodedPair], epoch: Int) -> [[Int]] {
    require(epoch >= 1, "Trainer: expected an epoch of 1 or above, got \(epoch)")
    return schedule(pairs).batches(epoch: epoch - 1)
  }

  private func schedule(_ pairs: [EncodedPair]) -> BatchSchedule {
    BatchSchedule(pairs, batchSize: options.batchSize, seed: subseed(options.seed, 1))
  }

  private mutating func checkData(_ pairs: [EncodedPair]) throws(TrainingError) {
    let fingerprint = TrainingState.fingerprint(of: pairs)
    if let old = state.fingerprint, old != fingerprint { throw .otherData }
    state.fingerprint = fingerprint
  }

  private mutating func train(
    _ pairs: [EncodedPair], _ meter: inout ProgressMeter, _ progress: (TrainingProgress) throws -> Void
  ) throws {
    let epochSeed = subseed(subseed(options.seed, 2), meter.epoch)
    let batches = batches(of: pairs, epoch: meter.epoch)
    for (index, indices) in batches.enumerated() {
      let batch = PairBatch(indices.map { pairs[$0] })
      let seed = subseed(epochSeed, index)
      let (loss, gradients) = lossWithGradients(batch, seed: seed)
      let rate = state.learningRate(step: optimizer.steps + 1, batches: batches.count)
      let norm = optimizer.step(&model, gradients, rate: rate, clip: options.clip, decay: options.weightDecay)
      guard norm.isFinite, loss.loss.isFinite else {
        throw TrainingError.diverged(epoch: meter.epoch, batch: index + 1)
      }
      meter.add(loss, rate: rate)
      try progress(meter.progress(record: nil, isBest: false))
    }
    state.steps = optimizer.steps
  }

  /// In a function of its own: what the way back holds of the parameters is gone when they change.
  private func lossWithGradients(_ batch: PairBatch, seed: UInt64) -> (CrossEntropy, [NamedGradient]) {
    let (loss, gradients) = model.lossWithGradients(
      batch, smoothing: options.smoothing, dropoutSeed: subseed(seed, 0), teacherForcing: options.teacherForcing,
      choiceSeed: subseed(seed, 1))
    return (loss, gradients.named)
  }

  private func validationLoss(_ pairs: [EncodedPair]) -> Double? {
    guard !pairs.isEmpty else { return nil }
    let loss = model.loss(pairs, batchSize: options.batchSize)
    return loss.negativeLogLikelihood / Double(loss.tokenCount)
  }
}

extension TranslationModel {
  /// The negative log-likelihood of all targets, summed, and how many tokens they have, `</s>` included: for
  /// ``perplexity(negativeLogLikelihood:tokenCount:)``. Sums in a fixed order.
  public func loss(_ pairs: [EncodedPair], batchSize: Int = 64) -> (negativeLogLikelihood: Double, tokenCount: Int) {
    var (sum, count) = (0.0, 0)
    for indices in BatchSchedule(pairs, batchSize: batchSize, chunkSize: .max, seed: 0).batches(epoch: 0) {
      let loss = loss(PairBatch(indices.map { pairs[$0] }))
      sum += loss.negativeLogLikelihood
      count += loss.count
    }
    return (sum, count)
  }
}
