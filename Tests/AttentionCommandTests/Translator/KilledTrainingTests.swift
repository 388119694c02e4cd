import Foundation
import Testing

/// `attention train`, killed at any moment, has lost the epoch under way at most, and goes on to the bits of a training
/// that was let alone.
@Suite struct KilledTrainingTests {
  /// Epochs so short, of a model so large, that much of the time goes into writing checkpoints.
  private static let arguments = [
    "train", "--task", "numerals", "--training", "100", "--validation", "10", "--test", "0", "--hidden", "160",
    "--embedding", "160", "--dropout", "0.2", "--schedule", "constant", "--seed", "3", "--epochs",
  ]

  /// The numbers that follow a line's beginning.
  private func numbers(_ outcome: Outcome, after beginning: String) -> [Int] {
    outcome.lines.compactMap { line in
      guard line.hasPrefix(beginning) else { return nil }
      return line.dropFirst(beginning.count).split(separator: " ").first.flatMap { Int($0) }
    }
  }

  @Test func killedAtAnyMoment() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var generator = SeededGenerator(seed: seed)
    let directory = try TemporaryDirectory()
    let (whole, parts) = (directory.file("whole"), directory.file("parts"))
    let command = try #require(AttentionExecutable.path)
    func unfinishedFiles() -> Set<String> {
      Set(((try? directory.contents) ?? []).filter { $0.hasSuffix(".tmp") })
    }
    func resume() -> [String] { FileManager.default.fileExists(atPath: parts + ".checkpoint") ? ["--resume"] : [] }

    var (round, killsInWriting, epochs) = (0, 0, 0)
    while round < 8 || killsInWriting < 2 && round < 24 {
      let comment: Comment = "seed \(seed), round \(round), after epoch \(epochs)"
      let before = unfinishedFiles()
      // By turns a moment after some file has been begun, the third at first, which an epoch precedes, and any moment.
      let wanted = Int.random(in: round == 0 ? 3...4 : 1...4, using: &generator)
      let delay = UInt32.random(in: 0..<2000, using: &generator)
      let moment = Double.random(in: 0..<1.5, using: &generator)
      var seen = before
      let outcome = try runProcess(
        command, Self.arguments + ["1000000", "-o", parts] + resume(),
        timeout: .seconds(round % 2 == 0 ? 60 : moment)
      ) {
        guard round % 2 == 0 else { return false }
        seen.formUnion(unfinishedFiles())
        guard seen.count >= before.count + wanted else { return false }
        usleep(delay)
        return true
      }
      #expect(outcome.ending == .timeout, "\(comment): \(outcome.error)")
      if unfinishedFiles() != before { killsInWriting += 1 }
      // It went on from the last epoch that was told, or from one that ended and could not be told any more.
      if let resumed = numbers(outcome, after: "resumed       after epoch ").first {
        #expect(resumed == epochs || resumed == epochs + 1, comment)
        epochs = resumed
      }
      epochs = max(epochs, numbers(outcome, after: "epoch ").last ?? 0)
      round += 1
    }
    let comment: Comment =
      "seed \(seed): \(epochs) epochs in \(round) rounds, killed \(killsInWriting) times in writing"
    #expect(epochs > 0 && killsInWriting > 0, comment)
    // The last of them may have ended untold.
    let rest = [String(epochs + 2), "-o"]
    let last = try attention(Self.arguments + rest + [parts] + resume())
    #expect(last.ending == .exit(0), "\(comment): \(last.error)")
    #expect(try attention(Self.arguments + rest + [whole]).ending == .exit(0), comment)
    #expect(try bytes(of: parts) == bytes(of: whole), comment)
  }
}
