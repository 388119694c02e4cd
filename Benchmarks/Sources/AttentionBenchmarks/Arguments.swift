import ArgumentParser
import Attention
import BenchmarkSupport

extension NumberList: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}

/// The element types as the command line names them.
enum ElementType: String, ExpressibleByArgument, CaseIterable, Codable {
  case float32, float64, float16, bfloat16
}

/// The instruction sets that `names` asks for, separated by commas; without names the one that calls use by default.
func instructionSets(named names: String?) throws -> [String] {
  guard let names else {
    guard let name = AttentionSystem.defaultInstructionSet else {
      throw ValidationError("ATTENTION_ISA names no instruction set that this machine has")
    }
    return [name]
  }
  let available = AttentionSystem.instructionSets.filter(\.isAvailable).map(\.name)
  let wanted = names.split(separator: ",").map(String.init)
  for name in wanted where !available.contains(name) {
    throw ValidationError("\(name) cannot run here; available: \(available.joined(separator: ", "))")
  }
  guard !wanted.isEmpty else { throw ValidationError("--isa names no instruction set") }
  return wanted
}
