/// What an epoch of training came to.
public struct EpochRecord: Sendable, Equatable, Codable {
  /// Counted from 1.
  public var epoch: Int
  /// Per target token, as trained: with dropout and label smoothing, while the model changes.
  public var trainingLoss: Double
  /// Negative log-likelihood per target token of the validation pairs, without either; nil without such pairs.
  public var validationLoss: Double?
  /// The rate of the last step.
  public var learningRate: Double
  /// Target tokens trained on.
  public var tokens: Int
  /// How long it took, with validation.
  public var seconds: Double

  /// exp(validationLoss).
  public var validationPerplexity: Double? {
    validationLoss.map { perplexity(negativeLogLikelihood: $0, tokenCount: 1) }
  }
}

/// Where training is: after a batch, or after an epoch when `record` is there.
public struct TrainingProgress: Sendable, Equatable {
  /// Counted from 1.
  public var epoch: Int
  /// How many there will be at most.
  public var epochs: Int
  /// Batches of this epoch that are done, and how many it has.
  public var batch, batches: Int
  /// Target tokens of this epoch that are done, and how many it has.
  public var tokensDone, tokensTotal: Int
  /// Target tokens a second, in this epoch so far.
  public var tokensPerSecond: Double
  /// Until the last epoch ends at this speed.
  public var secondsLeft: Double
  /// The mean loss per target token in this epoch so far.
  public var loss: Double
  /// The rate of the last step.
  public var learningRate: Double
  /// The epoch's record when it has just ended.
  public var record: EpochRecord?
  /// Whether that epoch has the best validation loss so far.
  public var isBest = false
}

/// Why training ended.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A loss or gradient is infinite or not a number.
  case diverged(epoch: Int, batch: Int)
  /// The checkpoint was trained on other pairs.
  case otherData
  /// There are no pairs to train on.
  case noPairs

  /// What happened.
  public var description: String {
    switch self {
    case .diverged(let epoch, let batch):
      "training diverged in epoch \(epoch), batch \(batch): loss or gradient is not finite; try a smaller learning rate"
    case .otherData: "the checkpoint was made with other training pairs: resuming would not continue that training"
    case .noPairs: "expected pairs to train on, got none"
    }
  }
}
