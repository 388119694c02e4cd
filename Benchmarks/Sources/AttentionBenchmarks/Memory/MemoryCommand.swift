import ArgumentParser
import BenchmarkSupport
import Foundation

struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory", abstract: "Peak memory of fused and naive attention against the sequence length.",
    discussion: "Each measurement runs in a process of its own, so that none sees memory that another left behind.")

  @Option(help: "Sequence lengths.")
  var lengths = NumberList([512, 1024, 2048, 4096, 8192, 16384, 32768, 65536])

  @Option(help: "Head dimension.")
  var dimension = 64

  @Option(help: "Heads.")
  var heads = 1

  @Flag(inversion: .prefixedNo, help: "Causal masking.")
  var causal = true

  @Option(help: "Threads of the fused computation. (default: the number of cores)")
  var threads: Int?

  @Option(help: "Instruction set. (default: what calls use by default)")
  var isa: String?

  @Option(help: "Processes for each measurement.")
  var repetitions = 3

  @Option(help: "Leave out the naive computation where its S × S floats need more than this many GiB.")
  var naiveLimit = 2.0

  @Option(help: "Write the results as JSON.")
  var json: String?

  @Option(help: "Write a chart.")
  var svg: String?

  func validate() throws {
    guard dimension > 0, heads > 0, repetitions > 0, threads ?? 1 > 0, naiveLimit >= 0 else {
      throw ValidationError("sizes, threads, repetitions and limits must be positive")
    }
  }

  func run() throws {
    let sets = try instructionSets(named: isa)
    guard sets.count == 1 else { throw ValidationError("--isa takes one instruction set") }
    let settings = MemorySettings(
      heads: heads, dimension: dimension, isCausal: causal, lengths: lengths.values.sorted(),
      threads: threads ?? Machine.current.cores, instructionSet: sets[0], repetitions: repetitions,
      naiveLimitBytes: Int(naiveLimit * 0x1p30))
    let table = MemoryTable()
    let progress = Progress()
    printLine("\(Machine.current.title); swift-attention \(Versions.current.attention)")
    printLine(
      "float32, D = \(dimension), heads: \(heads), \(causal ? "causal" : "full"), threads: \(settings.threads), "
        + "\(settings.instructionSet), median of \(repetitions)")
    printLine("")
    printLine(table.header)
    var results: [MemoryResult] = []
    for length in settings.lengths {
      for implementation in settings.implementations(length: length) {
        progress.show("S = \(length), \(implementation.rawValue)")
        let result = try measure(implementation, length: length, settings)
        progress.clear()
        printLine(table.line(result))
        results.append(result)
      }
    }
    if let json { try Report("memory", settings: settings, results: results).write(to: json) }
    if let svg { try MemoryChart(settings: settings, results: results).figure.write(to: svg) }
  }

  private func measure(
    _ implementation: Implementation, length: Int, _ settings: MemorySettings
  ) throws -> MemoryResult {
    let readings = try (0..<settings.repetitions).map { _ in
      let output = try ChildProcess.output(of: [
        MemoryProbeCommand.configuration.commandName ?? "", implementation.rawValue, "--length", "\(length)",
        "--dimension", "\(settings.dimension)", "--heads", "\(settings.heads)", "--threads", "\(settings.threads)",
        "--isa", settings.instructionSet, settings.isCausal ? "--causal" : "--no-causal",
      ])
      return try JSONDecoder().decode(MemoryReading.self, from: output)
    }
    return MemoryResult(
      implementation: implementation, length: length,
      argumentBytes: 4 * MemoryLayout<Float>.size * settings.heads * length * settings.dimension,
      extraBytes: Summary(readings.map { Double($0.extraBytes) }),
      baselineBytes: Summary(readings.map { Double($0.baselineBytes) }), plannedBytes: readings[0].plannedBytes,
      seconds: Summary(readings.map(\.seconds)))
  }
}
