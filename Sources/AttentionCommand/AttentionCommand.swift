import ArgumentParser
import Attention

/// The `attention` executable. Exit status: 0 when done, 64 on wrong usage, 65 on bad input, 73 when the output cannot be
/// written; one line on stderr says what is wrong.
@main
struct AttentionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attention",
    abstract: "Exact attention on CPUs: run it on a file, compare it with the textbook, look at how it runs.",
    version: AttentionSystem.version,
    subcommands: [Run.self, Compare.self, Explain.self, Info.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      standardError("attention: \(failure.message)\n")
      terminate(failure.status)
    } catch {
      // Requests for help and the version arrive as errors too.
      guard exitCode(for: error) != .success else { exit(withError: error) }
      let line = message(for: error).split(separator: "\n").first.map(String.init) ?? "wrong usage"
      standardError("attention: \(line.hasPrefix("Error: ") ? String(line.dropFirst(7)) : line)\n")
      terminate(ExitStatus.usage)
    }
  }
}
