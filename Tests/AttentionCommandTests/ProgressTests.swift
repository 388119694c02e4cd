import Foundation
import Safetensors
import Testing

/// Long work shows progress on a terminal, and stays quiet elsewhere.
@Suite struct ProgressTests {
  /// One head of as many queries as keys, all numbers 0: work grows with the square of the length.
  private func write(length: Int, to path: String) throws {
    var writer = SafetensorsWriter()
    for name in ["query", "key", "value"] {
      try writer.add(name, [Float](repeating: 0, count: length * 32), shape: [1, 1, length, 32])
    }
    try writer.write(to: path)
  }

  #if os(Linux)
    /// `script` of util-linux runs a command on a terminal of its own.
    private static let script = "/usr/bin/script"

    /// Without a stdin `script` shows nothing.
    private func onTerminal(_ command: String, _ environment: [String: String] = [:]) throws -> Outcome {
      try runProcess(
        "/bin/sh", ["-c", #"exec "$1" -qec "$2" /dev/null < /dev/null"#, "sh", Self.script, command],
        environment: environment)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: script)), .timeLimit(.minutes(3)))
    func onATerminal() throws {
      let directory = try TemporaryDirectory()
      let (input, output) = (directory.file("in"), directory.file("out"))
      let command = try #require(AttentionExecutable.path)
      let environment = ["ATTENTION_ISA": "portable"]
      let clock = ContinuousClock()
      // The display waits for a second: the work is made longer until it takes two.
      var length = 4096
      while true {
        try write(length: length, to: input)
        var quiet: Outcome?
        let time = try clock.measure {
          quiet = try attention(["run", input, "-o", output, "--threads", "1"], environment: environment)
        }
        expectSilentSuccess(try #require(quiet))
        if time >= .seconds(2) || length >= 1 << 17 { break }
        length = Int(Double(length) * max(1.25, min(8, (2.5 / (time / .seconds(1))).squareRoot())))
      }
      let shown = try onTerminal("'\(command)' run '\(input)' -o '\(output)' --threads 1", environment)
      #expect(shown.ending == .exit(0))
      #expect(shown.text.contains(/attention  \[#*-*\]  [0-9]+ %  [0-9.]+ s/), "\(shown.text.debugDescription)")
      // The line is cleared at the end.
      #expect(shown.text.hasSuffix("\r\u{1B}[K"))
      #expect(!shown.text.contains("\n"))
    }

    /// Work that ends at once shows nothing but the clearing of the line.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: script)))
    func shortWorkOnATerminal() throws {
      let directory = try TemporaryDirectory()
      let (input, output) = (directory.file("in"), directory.file("out"))
      try Problem().write(to: input)
      let command = try #require(AttentionExecutable.path)
      let shown = try onTerminal("'\(command)' run '\(input)' -o '\(output)'")
      #expect(shown.ending == .exit(0))
      #expect(shown.text == "\r\u{1B}[K")
      Problem().expectContract(try ResultFile(path: output))
    }
  #endif
}
