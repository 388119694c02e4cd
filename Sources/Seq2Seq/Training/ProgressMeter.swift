import Attention

/// Counts what an epoch has done, and tells the time that is left.
struct ProgressMeter {
  let epoch, epochs, batches, tokensTotal: Int
  private var (batch, tokensDone) = (0, 0)
  private var lossSum = 0.0
  private var learningRate = 0.0
  private let start = ContinuousClock.now

  init(_ state: TrainingState, _ pairs: [EncodedPair], batches: Int) {
    epoch = state.history.count + 1
    epochs = state.options.epochs
    self.batches = batches
    tokensTotal = pairs.reduce(0) { $0 + $1.target.count + 1 }
  }

  mutating func add(_ loss: CrossEntropy, rate: Double) {
    batch += 1
    tokensDone += loss.count
    lossSum += loss.loss
    learningRate = rate
  }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  func progress(record: EpochRecord?, isBest: Bool) -> TrainingProgress {
    let rate = Double(tokensDone) / max(seconds, 1e-9)
    let left = Double(tokensTotal - tokensDone) + Double(max(epochs - epoch, 0)) * Double(tokensTotal)
    return TrainingProgress(
      epoch: epoch, epochs: epochs, batch: batch, batches: batches, tokensDone: tokensDone, tokensTotal: tokensTotal,
      tokensPerSecond: rate, secondsLeft: left / max(rate, 1e-9), loss: lossSum / Double(max(tokensDone, 1)),
      learningRate: learningRate, record: record, isBest: isBest)
  }

  func record(validationLoss: Double?) -> EpochRecord {
    EpochRecord(
      epoch: epoch, trainingLoss: lossSum / Double(max(tokensDone, 1)), validationLoss: validationLoss,
      learningRate: learningRate, tokens: tokensDone, seconds: seconds)
  }
}
