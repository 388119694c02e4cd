import Foundation
import Testing

/// `attention train`, killed at any moment, has lost the epoch under way at most, and goes on to the bits of a training
/// that was let alone.
@Suite struct KilledTrainingTests {
  /// Epochs so short, of a model so large, that much of the time goes into writing checkpoints.
  private static let arguments = [
    "train", "--task", "numerals", "--training", "100", "--validation", "10", "--test", "0", "--hidden", "160",
    "--embedding", "160", "--dropout", "0.2", "--epochs", "12", "--seed", "3",
  ]

  /// The numbers at the end of words of lines that begin so.
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
    let start = ContinuousClock.now
    try #require(attention(Self.arguments + ["-o", whole]).ending == .exit(0))
    let duration = (ContinuousClock.now - start) / .seconds(1)

    func unfinishedFiles() -> Set<String> {
      Set(((try? directory.contents) ?? []).filter { $0.hasSuffix(".tmp") })
    }
    func canResume() -> [String] { FileManager.default.fileExists(atPath: parts + ".checkpoint") ? ["--resume"] : [] }
    var (kills, killsInWriting, epochs) = (0, 0, 0)
    for round in 0..<10 {
      let comment: Comment = "seed \(seed), round \(round), after epoch \(epochs)"
      let before = unfinishedFiles()
      // By turns at a moment of its own, and a moment after the first to fifth file has been begun.
      let moment = Double.random(in: 0..<duration / 2, using: &generator)
      let (delay, wanted) = (
        UInt32.random(in: 0..<4000, using: &generator), Int.random(in: 1...5, using: &generator)
      )
      var seen = before
      let outcome = try runProcess(
        command, Self.arguments + ["-o", parts] + canResume(), timeout: .seconds(round % 2 == 0 ? moment : 60)
      ) {
        guard round % 2 == 1 else { return false }
        seen.formUnion(unfinishedFiles())
        guard seen.count >= before.count + wanted else { return false }
        usleep(delay)
        return true
      }
      #expect(outcome.ending == .timeout || outcome.ending == .exit(0), comment)
      if outcome.ending == .timeout { kills += 1 }
      if unfinishedFiles() != before { killsInWriting += 1 }
      // It goes on from the last epoch that was told, or from one whose telling did not come to pass.
      if let resumed = numbers(outcome, after: "resumed       after epoch ").first {
        #expect(resumed == epochs || resumed == epochs + 1, comment)
        epochs = resumed
      }
      epochs = max(epochs, numbers(outcome, after: "epoch ").last ?? 0)
      if outcome.ending == .exit(0) { break }
    }
    let comment: Comment = "seed \(seed): \(kills) kills, \(killsInWriting) in writing"
    #expect(kills >= 3 && killsInWriting >= 1, comment)
    let last = try attention(Self.arguments + ["-o", parts] + canResume())
    #expect(last.ending == .exit(0), "\(comment): \(last.error)")
    #expect(try bytes(of: parts) == bytes(of: whole), comment)
  }
}
