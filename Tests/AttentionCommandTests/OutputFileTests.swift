import Foundation
import Safetensors
import Testing

/// Where the output goes. What cannot be written: status 73, one line that names the path, nothing left behind.
@Suite struct OutputFileTests {
  @Test func placesThatCannotBeWritten() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let folder = directory.file("folder")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let places = [
      (folder, [folder, "directory"]), (directory.file("none/out"), [directory.file("none/out"), "No such file"]),
      (directory.file("new/"), [directory.file("new/")]), (input + "/out", [input + "/out"]), ("", ["No such file"]),
      (directory.file(String(repeating: "n", count: 300)), ["too long"]),
    ]
    for (place, words) in places {
      for option in ["-o", "--output"] {
        expectFailure(try attention("run", input, option, place), status: 73, naming: words)
      }
    }
    #expect(try directory.contents == ["folder", "in.safetensors"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
  }

  /// Refused by permissions; a superuser is refused nothing.
  @Test(.enabled(if: geteuid() != 0))
  func aDirectoryWithoutPermission() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let folder = directory.file("folder")
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o500])
    expectFailure(
      try attention("run", input, "-o", folder + "/out"), status: 73, naming: [folder + "/out", "Permission denied"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDevice() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    expectFailure(try attention("run", input, "-o", "/dev/full"), status: 73, naming: ["/dev/full", "No space left"])
  }

  /// A link that leads nowhere is written through; one that leads to itself cannot be.
  @Test func symbolicLinks() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let (link, loop) = (directory.file("link"), directory.file("loop"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
    try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
    expectSilentSuccess(try attention("run", input, "-o", link))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
    Problem().expectContract(try ResultFile(path: directory.file("target")))
    expectFailure(try attention("run", input, "-o", loop), status: 73, naming: [loop])
    #expect(try directory.contents == ["in.safetensors", "link", "loop", "target"])
  }

  @Test func anExistingFileIsReplaced() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    let output = try directory.store([UInt8](repeating: 7, count: 100_000), as: "out.safetensors")
    try Problem().write(to: input)
    expectSilentSuccess(try attention("run", input, "-o", output))
    #expect(try bytes(of: output) == Problem().run())
    #expect(try directory.contents == ["in.safetensors", "out.safetensors"])
  }

  /// The input is read to its end before its place is taken.
  @Test func theInputItself() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("both.safetensors")
    let problem = Problem(ThreadTests.shape)
    try problem.write(to: path)
    expectSilentSuccess(try attention("run", path, "-o", path))
    #expect(try bytes(of: path) == problem.run())
    #expect(try directory.contents == ["both.safetensors"])
    // What was the input has become an output, which is none.
    expectFailure(try attention("run", path, "-o", path), status: 65, naming: ["\"query\""])
    problem.expectContract(try ResultFile(path: path))
  }

  @Test(arguments: ["with a space", "Grüße 🙂", "-dash", "quote\"'$x", ".hidden"])
  func unusualNames(name: String) throws {
    let directory = try TemporaryDirectory()
    let folder = directory.file(name)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let (input, output) = (folder + "/" + name + " in", folder + "/" + name)
    let problem = Problem()
    try problem.write(to: input)
    expectSilentSuccess(try attention("run", input, "-o", output))
    #expect(try bytes(of: output) == problem.run())
  }

  /// Relative paths count from the working directory; `--` ends the options.
  @Test func relativePaths() throws {
    let directory = try TemporaryDirectory()
    let problem = Problem()
    try problem.write(to: directory.file("-in"))
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh", ["-c", #"cd "$1" && exec "$2" run -o out -- -in"#, "sh", directory.path, command])
    expectSilentSuccess(outcome)
    #expect(try bytes(of: directory.file("out")) == problem.run())
  }

  /// Into a pipe the file comes whole, and nothing beside it.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/stdout")))
  func standardOutput() throws {
    let directory = try TemporaryDirectory()
    let problem = Problem(ThreadTests.shape)
    try problem.write(to: directory.file("in"))
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh",
      ["-c", #"{ "$1" run "$2/in" -o /dev/stdout; echo $? > "$2/status"; } | cat"#, "sh", command, directory.path])
    #expect(outcome.error == "")
    #expect(try bytes(of: directory.file("status")) == Array("0\n".utf8))
    #expect(try outcome.output == problem.run())
  }

  @Test func theNullDevice() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    expectSilentSuccess(try attention("run", input, "-o", "/dev/null"))
  }

  /// A reader of stdout that went away is no crash of `run`, which writes nothing there.
  @Test func closedOutputs() throws {
    let directory = try TemporaryDirectory()
    let problem = Problem()
    try problem.write(to: directory.file("in"))
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh", ["-c", #"exec "$1" run "$2/in" -o "$2/out" >&- 2>&-"#, "sh", command, directory.path])
    #expect(outcome.ending == .exit(0))
    #expect(try bytes(of: directory.file("out")) == problem.run())
  }
}
