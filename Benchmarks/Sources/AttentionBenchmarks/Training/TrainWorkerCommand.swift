import ArgumentParser
import Attention
import Foundation
import Seq2Seq

/// Trains batch by batch as `scripts/peers --suite training` asks, a JSON object a line in, one a line out:
///
///     {"do": "open", …}               -> the sizes of what will be trained; see TrainingRequest
///     {"do": "train", "batches": N}   -> {"seconds": of N batches, "tokens": …, "losses": […]}
///
/// The threads are those of OMP_NUM_THREADS, the instruction set that of ATTENTION_ISA. It ends with its input.
struct TrainWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-worker", abstract: "Trains for scripts/peers.", shouldDisplay: false)

  func run() throws {
    guard let isa = AttentionSystem.defaultInstructionSet else {
      throw ValidationError("ATTENTION_ISA names no instruction set that this machine has")
    }
    try say(Hello(description: ["version": AttentionSystem.version, "isa": isa, "method": "Seq2Seq.Trainer.runEpoch"]))
    AttentionSystem.keepFreedMemory()  // as `attention train` does
    var next = try command()
    while let current = next {
      do {
        var training = try WorkerTraining(current)
        next = try training.run()
      } catch {
        try say(Failure(failed: "\(error)"))
        next = try command()
      }
    }
  }

  private struct Hello: Encodable { var description: [String: String] }

  private struct Failure: Encodable { var failed: String }
}

/// A line of the parent's.
struct WorkerCommand: Decodable {
  enum Kind: String, Decodable { case open, train }

  var `do`: Kind
  /// Of `open`.
  var training: TrainingRequest?
  /// Of `train`.
  var batches: Int?
}

/// The parent's next line; nil at the end.
func command() throws -> WorkerCommand? {
  try readLine().map { try JSONDecoder().decode(WorkerCommand.self, from: Data($0.utf8)) }
}

/// Answers the parent.
func say(_ answer: some Encodable) throws {
  FileHandle.standardOutput.write(try JSONEncoder().encode(answer) + Data("\n".utf8))
}
