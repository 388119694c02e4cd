import ArgumentParser
import Attention
import Foundation

extension AttentionLayout: ExpressibleByArgument {}

/// `--causal`: an alignment or an offset.
enum CausalArgument: ExpressibleByArgument {
  case topLeft, bottomRight
  case offset(Int)

  init?(argument: String) {
    switch argument {
    case "top-left": self = .topLeft
    case "bottom-right": self = .bottomRight
    default:
      guard let offset = Int(argument) else { return nil }
      self = .offset(offset)
    }
  }

  var mask: AttentionMask {
    switch self {
    case .topLeft: .causal(.topLeft)
    case .bottomRight: .causal(.bottomRight)
    case .offset(let offset): .causal(queryOffset: offset)
    }
  }

  func offset(queryLength: Int, keyLength: Int) -> Int {
    switch self {
    case .topLeft: 0
    case .bottomRight: keyLength - queryLength
    case .offset(let offset): withinReach(offset)
    }
  }
}

/// An offset that sees the same keys: beyond 2^40 every key is on one side, since no length reaches 2^31.
func withinReach(_ offset: Int) -> Int { min(max(offset, -1 << 40), 1 << 40) }

/// `--window LEFT,RIGHT`: an empty side is unbounded.
struct WindowArgument: ExpressibleByArgument {
  var left, right: Int?

  init?(argument: String) {
    let sides = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count == 2 else { return nil }
    for (index, side) in sides.enumerated() where !side.isEmpty {
      guard let keys = Int(side), keys >= 0 else { return nil }
      if index == 0 { left = keys } else { right = keys }
    }
  }
}

/// The options of an attention problem that do not come from the file.
struct ProblemOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Key j is visible to query i when j ≤ i + offset: top-left is offset 0, bottom-right Sk − Sq.",
      valueName: "top-left|bottom-right|OFFSET"))
  var causal: CausalArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keys from i + offset − LEFT to i + offset + RIGHT are visible; an empty side is unbounded.",
      valueName: "LEFT,RIGHT"))
  var window: WindowArgument?

  @Option(parsing: .unconditional, help: "Multiplies q·k (default: 1 ÷ √D).")
  var scale: Double?

  @Option(parsing: .unconditional, help: "Bounds the scores: s becomes X·tanh(s ÷ X).")
  var softcap: Double?

  @Option(parsing: .unconditional, help: "Drops weights with this probability.")
  var dropout: Double?

  @Option(help: "Seed of the dropout mask.")
  var seed: UInt64?

  @Option(parsing: .unconditional, help: "Number of threads (default: OpenMP's choice).")
  var threads: Int?

  func validate() throws {
    if seed != nil && dropout == nil { throw ValidationError("--seed needs --dropout") }
    if dropout != nil && seed == nil { throw ValidationError("--dropout needs --seed") }
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout is \(dropout); it must be at least 0 and below 1")
    }
    if let softcap, !(softcap > 0 && softcap.isFinite) {
      throw ValidationError("--softcap is \(softcap); it must be positive")
    }
    if let scale, !scale.isFinite { throw ValidationError("--scale is \(scale); it must be finite") }
    if let threads, threads < 1 || threads > Int(Int32.max) {
      throw ValidationError("--threads is \(threads); it must be at least 1 and at most \(Int32.max)")
    }
    if AttentionSystem.defaultInstructionSet == nil {
      let name = ProcessInfo.processInfo.environment["ATTENTION_ISA"] ?? ""
      throw ValidationError(
        "ATTENTION_ISA names '\(name)', which is not an instruction set this machine can run")
    }
  }

  /// Refuses numbers that the type computed in cannot hold; the kernels fold log₂e into the scale, and divide it by the
  /// softcap.
  func check(computingIn type: AttentionScalarType) throws(CommandFailure) {
    guard type != .float64 else { return }
    let folded = scale.map { Float($0 * 1.4426950408889634) } ?? 1
    let cap = softcap.map { Float($0) } ?? 1
    let needed = "it must be finite in Float, the type computed in"
    if let scale, !folded.isFinite { throw .usage("--scale is \(scale); \(needed)") }
    if let softcap, !cap.isFinite || cap == 0 || !((folded / cap).isFinite) {
      throw .usage(
        "--softcap is \(softcap); it, and the scale divided by it, must be finite in Float, the type computed in")
    }
  }

  /// Causal part and window, without what a file adds.
  var mask: AttentionMask {
    (causal?.mask ?? .none) & .window(left: window?.left, right: window?.right)
  }

  /// The options that were given.
  var given: [String] {
    let options: [(String, Bool)] = [
      ("--causal", causal != nil), ("--window", window != nil), ("--scale", scale != nil),
      ("--softcap", softcap != nil), ("--dropout", dropout != nil), ("--seed", seed != nil),
      ("--threads", threads != nil),
    ]
    return options.filter(\.1).map(\.0)
  }
}
