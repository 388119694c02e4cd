import ArgumentParser
import Attention
import BenchmarkSupport
import Foundation

struct ScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Time, GFLOP/s and share of the arithmetic peak over threads, lengths and dimensions.",
    discussion: """
      Contenders of a shape are measured in turns, A B C A B C, the peak and the naive computation among them, so that \
      drift of the machine hits all alike.
      """)

  @Option(help: "Thread counts, such as 1,2. (default: powers of two up to the number of cores)")
  var threads: NumberList?

  @Option(help: "Sequence lengths.")
  var lengths = NumberList([512, 1024, 2048, 4096, 8192])

  @Option(help: "Head dimensions.")
  var dimensions = NumberList([64, 128])

  @Option(help: "Heads, each with keys and values of its own.")
  var heads = 8

  @Flag(inversion: .prefixedNo, help: "Only causal, or only not causal. (default: both)")
  var causal: Bool?

  @Option(help: "Element type.")
  var type = ElementType.float32

  @Option(help: "Instruction sets, separated by commas. (default: what calls use by default)")
  var isa: String?

  @Option(help: "Samples of each contender.")
  var repetitions = 7

  @Option(help: "Leave out the naive computation where one run would take longer than this many seconds.")
  var naiveLimit = 5.0

  @Option(help: "Write the results as JSON.")
  var json: String?

  @Option(help: "Write a chart.")
  var svg: String?

  func validate() throws {
    guard heads > 0 else { throw ValidationError("--heads must be positive") }
    guard repetitions > 0 else { throw ValidationError("--repetitions must be positive") }
    if let most = threads?.values.max(), most > 1024 { throw ValidationError("--threads \(most) is too many") }
  }

  func run() throws {
    IdleWorkers.configure()
    let settings = ScalingSettings(
      type: type, heads: heads, lengths: lengths.values.sorted(), dimensions: dimensions.values.sorted(),
      threads: (threads ?? .powersOfTwo(upTo: Machine.current.cores)).values.sorted(),
      instructionSets: try instructionSets(named: isa), causal: causal.map { [$0] } ?? [false, true],
      repetitions: repetitions, naiveLimitSeconds: naiveLimit)
    let results: [ScalingResult] =
      switch type {
      case .float32: try measure(Float.self, settings)
      case .float64: try measure(Double.self, settings)
      case .bfloat16: try measure(BFloat16.self, settings)
      case .float16:
        #if os(macOS) && arch(x86_64)
          throw ValidationError("Swift has no Float16 on Intel Macs")
        #else
          try measure(Float16.self, settings)
        #endif
      }
    if let json { try Report("scaling", settings: settings, results: results).write(to: json) }
    if let svg { try ScalingChart(settings: settings, results: results).figure.write(to: svg) }
  }

  private func measure<Scalar: BenchmarkScalar>(
    _: Scalar.Type, _ settings: ScalingSettings
  ) throws -> [ScalingResult] {
    let progress = Progress()
    let table = ScalingTable()
    printLine("\(Machine.current.title); swift-attention \(Versions.current.attention)")
    printLine("\(settings.type.rawValue), \(settings.heads) heads, median of \(settings.repetitions)")
    printLine("")
    printLine(table.header)
    var bench = ScalingBench<Scalar>(settings: settings)
    var results: [ScalingResult] = []
    for dimension in settings.dimensions {
      for length in settings.lengths {
        let rows = try bench.measure(length: length, dimension: dimension) {
          progress.show("S = \(length), D = \(dimension): \($0)")
        }
        progress.clear()
        for row in rows { printLine(table.line(row)) }
        results += rows
      }
    }
    return results
  }
}
