import ArgumentParser
import Attention

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The `attention` executable. Exit status: 0 when done, 64 on wrong usage, 65 on bad input, 73 when the output cannot be
/// written; one line on stderr says what is wrong.
@main
struct AttentionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attention",
    abstract:
      "Exact attention on CPUs: run it on a file, compare it with the textbook, look at how it runs, translate.",
    version: AttentionSystem.version,
    subcommands: [
      Run.self, Plot.self, Compare.self, Explain.self, Info.self, Train.self, Translate.self, Evaluate.self,
    ])

  static func main() {
    // A file that would grow beyond the limit of sizes is an error of writing like any other, not the end.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      standardError("attention: \(oneLine(failure.message))\n")
      terminate(failure.status)
    } catch {
      // Requests for help and the version arrive as errors too.
      guard exitCode(for: error) != .success else { exit(withError: error) }
      // What follows "Help:" and "Usage:" repeats `--help`; line breaks before it come from the arguments.
      let text = message(for: error)
      let end = ["\nHelp:", "\nUsage:"].compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
      standardError("attention: \(oneLine(text[..<end]))\n")
      terminate(ExitStatus.usage)
    }
  }
}
