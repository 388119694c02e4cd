import ArgumentParser

@main
struct AttentionBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attention-benchmarks",
    abstract: "Measures how fast fused attention is and how much memory it takes.",
    subcommands: [ScalingCommand.self, MemoryCommand.self, MemoryProbeCommand.self, TrainWorkerCommand.self])
}
