import ArgumentParser
import Seq2Seq

/// How translations are searched.
struct SearchOptions: ParsableArguments {
  @Option(help: "Hypotheses that a step keeps; 1 is greedy search.")
  var beam = 5

  @Option(
    help: ArgumentHelp(
      "How lengths are made comparable: none, wu or wu,ALPHA (Wu et al. 2016), length or length,ALPHA.",
      valueName: "NORM"))
  var normalization = NormalizationArgument(value: .wu(alpha: 0.6))

  @Option(help: "Sentences searched together. It changes no result.")
  var batch = 64

  @Option(help: "Tokens of a sentence that are translated; the rest is cut off, and stderr says so.")
  var maximumLength = defaultMaximumLength

  static let defaultMaximumLength = 400

  func validate() throws {
    try check("--beam", beam, 1...1000)
    try check("--batch", batch, 1...100_000)
    try check("--maximum-length", maximumLength, 1...100_000)
  }

  func translationOptions(beam: Int? = nil, hypothesisCount: Int = 1) -> TranslationOptions {
    TranslationOptions(
      search: BeamSearch(
        beamSize: beam ?? self.beam, hypothesisCount: hypothesisCount, normalization: normalization.value),
      batchSize: batch, maximumSourceLength: maximumLength)
  }
}

/// Refuses what is not in the range.
func check<Value: Comparable>(_ option: String, _ value: Value, _ range: ClosedRange<Value>) throws {
  guard range ~= value else {
    throw ValidationError("\(option) is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
  }
}

/// `none`, `wu`, `length`, the latter two with `,ALPHA` or without.
struct NormalizationArgument: ExpressibleByArgument, CustomStringConvertible {
  var value: LengthNormalization

  init(value: LengthNormalization) { self.value = value }

  init?(argument: String) {
    let parts = argument.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    let alpha = parts.count == 2 ? Double(parts[1]) : nil
    guard parts.count == 1 || alpha.map({ $0.isFinite && 0...100 ~= $0 }) == true else { return nil }
    switch parts.first {
    case "none" where parts.count == 1: value = .none
    case "wu": value = .wu(alpha: alpha ?? 0.6)
    case "length": value = .length(alpha: alpha ?? 1)
    default: return nil
    }
  }

  var description: String {
    switch value {
    case .none: "none"
    case .wu(let alpha): "wu,\(alpha)"
    case .length(let alpha): "length,\(alpha)"
    }
  }
  var defaultValueDescription: String { description }
}
