import Foundation

/// Where training is between two epochs, but for parameters and moments.
struct TrainingState: Sendable, Equatable, JSONRepresentable {
  static let nameInMessages = "training state"

  var options: TrainingOptions
  var history: [EpochRecord] = []
  /// Of the best validation loss.
  var bestEpoch: Int?
  /// What the plateau schedule has come to.
  var rateFactor = 1.0
  var steps = 0
  /// Of the training pairs, hexadecimal; nil before the first epoch.
  var fingerprint: String?

  init(_ options: TrainingOptions) { self.options = options }

  /// What is compared from epoch to epoch.
  static func measure(_ record: EpochRecord) -> Double { record.validationLoss ?? record.trainingLoss }

  /// Epochs since the best one.
  var epochsWithoutBest: Int { history.count - (bestEpoch ?? 0) }

  /// Whether another epoch would be one too many.
  var isFinished: Bool {
    history.count >= options.epochs || options.patience.map { !history.isEmpty && epochsWithoutBest >= $0 } ?? false
  }

  /// The rate of a step, counted from 1.
  func learningRate(step: Int, batches: Int) -> Double {
    var rate = options.learningRate * rateFactor
    if step < options.warmupSteps { rate *= Double(step) / Double(options.warmupSteps) }
    if options.schedule == .cosine {
      let total = Double(options.epochs * batches)
      rate *= 0.5 * (1 + cos(Double.pi * min(1, Double(step - 1) / total)))
    }
    return rate
  }

  /// Takes an epoch's record; returns whether it is the best so far.
  mutating func add(_ record: EpochRecord) -> Bool {
    let best = bestEpoch.map { Self.measure(history[$0 - 1]) }
    history.append(record)
    let isBest = best.map { Self.measure(record) < $0 } ?? true
    if isBest { bestEpoch = record.epoch }
    if !isBest, options.schedule == .plateau { rateFactor /= 2 }
    return isBest
  }

  /// FNV-1a over lengths and tokens.
  static func fingerprint(of pairs: [EncodedPair]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ number: Int) { hash = (hash ^ UInt64(truncatingIfNeeded: number)) &* 0x0000_0100_0000_01B3 }
    for pair in pairs {
      for sentence in [pair.source, pair.target] {
        add(sentence.count)
        sentence.forEach(add)
      }
    }
    return String(hash, radix: 16)
  }
}
