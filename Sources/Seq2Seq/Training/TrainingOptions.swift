/// How a model is trained.
public struct TrainingOptions: Sendable, Equatable, JSONRepresentable {
  public static let nameInMessages = "training options"

  /// Passes over all pairs, at most.
  public var epochs = 12
  /// Pairs in a batch.
  public var batchSize = 64
  /// Adam's rate, before schedule and warm-up.
  public var learningRate = 0.001
  /// How the rate changes.
  public var schedule = LearningRateSchedule.constant
  /// Steps over which the rate grows from 0, in a line; 0 = none.
  public var warmupSteps = 0
  /// The norm of all gradients together, above which they are scaled down to it; nil = no limit.
  public var clip: Double? = 1
  /// ε of label smoothing, in 0..<1.
  public var smoothing = 0.0
  /// Decoupled weight decay.
  public var weightDecay = 0.0
  /// The probability that the decoder reads the given word in training instead of its own; below 1 it goes step by step.
  public var teacherForcing = 1.0
  /// Epochs in a row without a better validation loss after which training ends; nil = it goes on.
  public var patience: Int?
  /// What batches, dropout and choices follow from.
  public var seed: UInt64 = 0

  /// 12 epochs of batches of 64 with Adam at 0.001, clipped at 1; its properties may be changed.
  public init() {}

  /// What makes no training, in words; nil when nothing does.
  public var problem: String? {
    let counts = [
      ("epochs", epochs, 1), ("batchSize", batchSize, 1), ("warmupSteps", warmupSteps, 0),
      ("patience", patience ?? 1, 1),
    ]
    for (name, count, least) in counts where count < least {
      return "\(name) is \(count), expected at least \(least)"
    }
    let ranges = [
      ("learningRate", learningRate, 0.0, 1e6), ("weightDecay", weightDecay, 0, 1e6), ("clip", clip ?? 1, 0, 1e30),
      ("teacherForcing", teacherForcing, 0, 1), ("smoothing", smoothing, 0, 1.0.nextDown),
    ]
    for (name, value, low, high) in ranges where !(low <= value && value <= high) {
      return "\(name) is \(value), expected \(low) to \(high)"
    }
    return clip == 0 ? "clip is 0, expected more" : nil
  }
}

/// How the learning rate changes over training.
public enum LearningRateSchedule: String, Sendable, Codable, CaseIterable {
  /// It stays.
  case constant
  /// It halves after each epoch whose validation loss is no better than the best before.
  case plateau
  /// It falls to 0 over all steps along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
  case cosine
}
