import ArgumentParser
import Attention
import Foundation

/// `--threads` of commands whose work is many calls.
struct ThreadOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Number of threads (default: OpenMP's choice). It changes no bits of the result.")
  var threads: Int?

  func validate() throws {
    try check("--threads", threads ?? 1, 1...Int(Int32.max))
    if AttentionSystem.defaultInstructionSet == nil {
      let name = ProcessInfo.processInfo.environment["ATTENTION_ISA"] ?? ""
      throw ValidationError(
        "ATTENTION_ISA names '\(name)', which is not an instruction set this machine can run")
    }
  }

  /// Sets the number for the whole process. OpenMP reads its variable when it is first used: this comes before.
  func apply() {
    if let threads { setenv("OMP_NUM_THREADS", "\(threads)", 1) }
  }
}
