import ArgumentParser
import Attention

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the machine, the instruction sets, the threads and the kernels.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let report = Report()
    print(json ? try encodeJSON(report) : report.text)
  }

  struct Report: Encodable {
    struct InstructionSet: Encodable {
      var name: String
      var available: Bool
    }

    var version = AttentionSystem.version
    var processor = Machine.processor
    var system = Machine.system
    var cores = Machine.cores
    var threads = AttentionSystem.maximumThreads
    var level1CacheBytes = AttentionSystem.cacheBytes(level: 1)
    var level2CacheBytes = AttentionSystem.cacheBytes(level: 2)
    var instructionSets = AttentionSystem.instructionSets.map {
      InstructionSet(name: $0.name, available: $0.isAvailable)
    }
    var instructionSet = AttentionSystem.defaultInstructionSet
    var kernels = (AttentionSystem.defaultInstructionSet).map { ["\($0)-f32", "\($0)-f64"] } ?? []

    var text: String {
      let sets = instructionSets.map { $0.available ? $0.name : "\($0.name) (not on this machine)" }
      return [
        "attention         \(version)",
        "processor         \(processor)",
        "system            \(system)",
        "cores             \(cores)",
        "threads           \(threads)",
        "caches            \(level1CacheBytes >> 10) KiB level 1, \(level2CacheBytes >> 10) KiB level 2",
        "instruction sets  \(sets.joined(separator: ", "))",
        "in use            \(instructionSet ?? "none: ATTENTION_ISA names none that can run")",
        "kernels           \(kernels.joined(separator: ", "))",
      ].joined(separator: "\n")
    }
  }
}
