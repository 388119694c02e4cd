import ArgumentParser
import Attention
import Foundation

/// Which of the two computations a probe runs.
enum Implementation: String, ExpressibleByArgument, CaseIterable, Codable {
  case fused, naive
}

/// What one run in a process of its own measured.
struct MemoryReading: Codable {
  /// Peak resident bytes once inputs and output exist and every page of them was written.
  let baselineBytes: Int
  /// Peak resident bytes after the call.
  let peakBytes: Int
  /// Of the call.
  let seconds: Double
  /// Scratch memory that the library planned; 0 for the naive computation.
  let plannedBytes: Int

  var extraBytes: Int { peakBytes - baselineBytes }
}

/// The child's side: one call in a fresh process, its reading as JSON on stdout.
struct MemoryProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory-probe", abstract: "Measures one call in this process.", shouldDisplay: false)

  @Argument var implementation: Implementation
  @Option var length: Int
  @Option var dimension: Int
  @Option var heads: Int
  @Option var threads: Int
  @Option var isa: String
  @Flag(inversion: .prefixedNo) var causal = true

  func run() throws {
    let reading =
      switch implementation {
      case .fused: try fused()
      case .naive: try naive()
      }
    FileHandle.standardOutput.write(try JSONEncoder().encode(reading))
  }

  private var inputs: Inputs<Float> { Inputs(heads: heads, length: length, dimension: dimension, seed: 1) }

  private func fused() throws -> MemoryReading {
    let inputs = inputs
    var output = [Float](repeating: 0, count: inputs.queries.count)
    let options = AttentionOptions(threads: threads, instructionSet: isa)
    let plan = try AttentionPlan(shape: inputs.shape, mask: causal ? .causal : .none, options: options)
    let baseline = try peakAfterReset()
    let seconds = try Stopwatch.seconds { try inputs.fused(into: &output, isCausal: causal, options: options) }
    return MemoryReading(
      baselineBytes: baseline, peakBytes: try peak(), seconds: seconds, plannedBytes: plan.scratchBytes)
  }

  /// The naive function makes its own output and log-sum-exp: their bytes belong to the baseline as those of the fused
  /// call's output do.
  private func naive() throws -> MemoryReading {
    let inputs = inputs
    let numbers = NaiveInputs(
      heads: heads, length: length, dimension: dimension, queries: inputs.queries, keys: inputs.keys,
      values: inputs.values)
    let ownResults = MemoryLayout<Float>.size * heads * length * (dimension + 1)
    let baseline = try peakAfterReset() + ownResults
    let seconds = Stopwatch.seconds { _ = numbers.attention(isCausal: causal) }
    return MemoryReading(baselineBytes: baseline, peakBytes: try peak(), seconds: seconds, plannedBytes: 0)
  }

  private func peakAfterReset() throws -> Int {
    ResidentMemory.resetPeak()
    return try peak()
  }

  private func peak() throws -> Int {
    guard let bytes = ResidentMemory.peakBytes() else {
      throw ValidationError("this system does not tell the resident memory of a process")
    }
    return bytes
  }
}
