import Foundation
import Testing

/// A small model that the command trains in a moment, and what it was trained on.
struct Translator {
  let directory: TemporaryDirectory
  let model: String

  /// So small that an epoch is over at once.
  static let small = [
    "--training", "300", "--validation", "30", "--test", "30", "--hidden", "16", "--embedding", "8", "--batch", "32",
    "--seed", "5",
  ]

  init(_ arguments: [String] = ["--task", "numerals"] + small + ["--epochs", "20", "--learning-rate", "0.02"]) throws {
    directory = try TemporaryDirectory()
    model = directory.file("model.safetensors")
    let outcome = try attention(["train", "-o", model] + arguments)
    try #require(outcome.ending == .exit(0), "\(outcome.error)")
  }

  func file(_ name: String) -> String { directory.file(name) }

  func translate(_ arguments: String...) throws -> Outcome { try attention(["translate", model] + arguments) }

  /// Translates what comes on stdin.
  func translate(input: [UInt8], _ arguments: String...) throws -> Outcome {
    try attention(["translate", model] + arguments, input: input)
  }
}

/// Runs the command with bytes on stdin.
func attention(_ arguments: [String], input: [UInt8]) throws -> Outcome {
  let directory = try TemporaryDirectory()
  let path = try directory.store(input, as: "stdin")
  let command = try #require(AttentionExecutable.path, "no executable called attention beside the tests")
  return try runProcess(
    "/bin/sh", ["-c", #"file=$1; shift; exec "$@" < "$file""#, "sh", path, command] + arguments)
}

extension Outcome {
  /// The lines of stdout, empty ones too.
  var lines: [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}
