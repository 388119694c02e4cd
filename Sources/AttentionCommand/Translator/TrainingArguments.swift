import ArgumentParser
import Seq2Seq

extension LearningRateSchedule: ExpressibleByArgument {}

/// How a model is trained.
struct TrainingArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Passes over all pairs, at most (default: 20, of a task 4).", valueName: "N"))
  var epochs: Int?

  @Option(help: ArgumentHelp("Pairs in a batch (default: 64).", valueName: "N"))
  var batch: Int?

  @Option(help: ArgumentHelp("Adam's rate (default: 0.002, of a task 0.003).", valueName: "X"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "constant, plateau (halved when the loss does not fall) or cosine (default: cosine).",
      valueName: "NAME"))
  var schedule: LearningRateSchedule?

  @Option(help: ArgumentHelp("Steps over which the rate grows to its full size (default: 0).", valueName: "N"))
  var warmup: Int?

  @Option(help: ArgumentHelp("Label smoothing (default: 0.1, of a task 0).", valueName: "X"))
  var labelSmoothing: Double?

  @Option(help: ArgumentHelp("Norm to which gradients are clipped; 0 = they are not (default: 1).", valueName: "X"))
  var clip: Double?

  @Option(help: ArgumentHelp("Decoupled weight decay (default: 0).", valueName: "X"))
  var weightDecay: Double?

  @Option(
    help: ArgumentHelp(
      "Probability that the decoder reads the right word in training, not its own (default: 1).", valueName: "P"))
  var teacherForcing: Double?

  @Option(help: ArgumentHelp("End after so many epochs in a row without a better one.", valueName: "N"))
  var patience: Int?

  @Option(
    help: ArgumentHelp(
      "What parameters, batches, dropout and the division of the pairs follow from (default: 0).", valueName: "N"))
  var seed: UInt64?

  func validate() throws {
    let counts = [("--epochs", epochs, 1), ("--batch", batch, 1), ("--warmup", warmup, 0), ("--patience", patience, 1)]
    for (name, value, least) in counts { try check(name, value ?? least, least...1_000_000_000) }
    try check("--learning-rate", learningRate ?? 0, 0...1e6)
    try check("--label-smoothing", labelSmoothing ?? 0, 0...0.999)
    try check("--clip", clip ?? 0, 0...1e30)
    try check("--weight-decay", weightDecay ?? 0, 0...1e6)
    try check("--teacher-forcing", teacherForcing ?? 0, 0...1)
  }

  /// What a training of a task, or of a file of pairs, begins with.
  static func defaults(_ task: SyntheticTask?) -> TrainingOptions {
    var options = TrainingOptions()
    options.schedule = .cosine
    if task != nil {
      (options.learningRate, options.epochs) = (0.003, 4)
    } else {
      (options.learningRate, options.epochs, options.smoothing) = (0.002, 20, 0.1)
    }
    return options
  }

  /// `options` with those that were given.
  func applied(to options: TrainingOptions) -> TrainingOptions {
    var result = options
    if let epochs { result.epochs = epochs }
    if let batch { result.batchSize = batch }
    if let learningRate { result.learningRate = learningRate }
    if let schedule { result.schedule = schedule }
    if let warmup { result.warmupSteps = warmup }
    if let labelSmoothing { result.smoothing = labelSmoothing }
    if let clip { result.clip = clip == 0 ? nil : clip }
    if let weightDecay { result.weightDecay = weightDecay }
    if let teacherForcing { result.teacherForcing = teacherForcing }
    if let patience { result.patience = patience }
    if let seed { result.seed = seed }
    return result
  }
}
