import Foundation
import Safetensors
import Testing

/// What `attention plot` refuses: the status, one line that says why, and no file.
@Suite struct PlotFailureTests {
  static let wrongUses: [(arguments: [String], words: [String])] = [
    (["-o", "x.png"], ["PNG", ".svg", ".html"]), (["-o", "x.PDF"], ["PDF", ".svg"]),
    (["-o", "x"], ["'x'", ".svg", ".html"]),
    (["-o", ".d/svg"], [".d/svg"]), (["-o"], ["-o"]), (["--head", "4"], ["--head", "4", "2 heads"]),
    (["--head", "-1"], ["--head", "-1"]), (["--head", "all"], ["--head", "all"]),
    (["--layer", "1"], ["--layer", "1", "layers 0"]), (["--batch", "1"], ["--batch", "1", "1 sequences"]),
    (["--batch", "-1"], ["--batch", "-1"]), (["--query", "3"], ["--query", "3", "3 queries"]),
    (["--query", "0", "--rows", "0,1"], ["--query", "--rows"]), (["--rows", "2"], ["--rows", "2"]),
    (["--rows", "2,1"], ["--rows", "2,1", "3 queries"]), (["--columns", "0,4"], ["--columns", "0,4", "4 keys"]),
    (["--labels", "a,b"], ["--labels", "2 labels", "3 queries", "[3, 4]"]),
    (["--key-labels", "a,b,c"], ["--key-labels", "3 labels", "4 keys"]),
    (["--labels", "a", "--key-labels", "b"], ["--labels", "--key-labels"]),
    (["--causal", "top-left"], ["--causal", "weights"]), (["--width", "3"], ["--width", "3"]),
    (["--width", "80", "-o", "x.svg"], ["--width", "-o"]), (["--color", "red"], ["--color", "red", "always"]),
  ]

  @Test(arguments: wrongUses)
  func wrongUse(arguments: [String], words: [String]) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try PlotTests.write(["weights": ([2, 3, 4], [Float](repeating: 0.25, count: 24))], to: input)
    expectFailure(try attention(["plot", input] + arguments), status: 64, naming: words)
    #expect(try directory.contents == ["in.safetensors"])
  }

  static let badFiles: [(tensors: [String: [Int]], words: [String])] = [
    (["other": [1]], ["weights", "query"]), (["weights": [3]], ["\"weights\"", "[Sq, Sk]", "[3]"]),
    (["weights": [1, 1, 1, 1, 1]], ["\"weights\"", "[1, 1, 1, 1, 1]"]),
    (["weights": [0, 5]], ["\"weights\"", "nothing to draw", "queries 0"]),
    (["weights": [0, 2, 5]], ["\"weights\"", "nothing to draw", "heads 0"]),
    (["weights": [2, 2], "layer0.weights": [2, 2]], ["\"weights\"", "\"layer0.weights\"", "both"]),
    (["layer0.weights": [2, 3], "layer1.weights": [2, 4]], ["\"layer1.weights\"", "3 keys", "2 and 4"]),
    (["query": [1, 1, 2, 2]], ["\"key\""]),
  ]

  @Test(arguments: badFiles)
  func badFile(tensors: [String: [Int]], words: [String]) throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.svg"))
    try PlotTests.write(tensors.mapValues { ($0, [Float](repeating: 0, count: $0.reduce(1, *))) }, to: input)
    for more in [[], ["-o", output]] {
      expectFailure(try attention(["plot", input] + more), status: 65, naming: [input] + words)
    }
    #expect(try directory.contents == ["in.safetensors"])
  }

  @Test func integers() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var writer = SafetensorsWriter()
    try writer.add("weights", [1, 0] as [Int64], shape: [1, 2])
    try writer.write(to: input)
    expectFailure(try attention("plot", input), status: 65, naming: [input, "\"weights\"", "floating-point", "I64"])
    expectFailure(try attention("plot", input + "x"), status: 65, naming: [input + "x", "No such file"])
  }

  @Test(arguments: ["{}", "[1]", "[\"a\"", "[[\"a\"]]", "[\"a\",\"b\"]"])
  func badMetadata(json: String) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try PlotTests.write(
      ["weights": ([2, 1, 2, 3], [Float](repeating: 0, count: 12))], metadata: ["key_labels": json], to: input)
    expectFailure(try attention("plot", input, "--batch", "1"), status: 65, naming: [input, "\"key_labels\""])
  }

  @Test func labelFiles() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try PlotTests.write(["weights": ([1, 1], [1])], to: input)
    let missing = directory.file("none")
    expectFailure(
      try attention("plot", input, "--labels", "@" + missing), status: 65, naming: ["--labels", missing, "cannot read"])
    let bytes = try directory.store([0xFF, 0x0A], as: "bytes")
    expectFailure(try attention("plot", input, "--labels", "@" + bytes), status: 65, naming: ["--labels", "UTF-8"])
  }

  /// Pictures that no browser would open: numbers, and what to do.
  @Test func tooLarge() throws {
    let directory = try TemporaryDirectory()
    let (input, svg, html) = (directory.file("in"), directory.file("x.svg"), directory.file("x.html"))
    try PlotTests.write(["weights": ([10, 501, 500], [Float](repeating: 0, count: 2_505_000))], to: input)
    expectFailure(
      try attention("plot", input, "-o", svg), status: 64, naming: ["501 × 500", "250000", "--rows", "--columns"])
    expectSilentSuccess(try attention("plot", input, "-o", svg, "--rows", "0,9", "--head", "0"))
    try PlotTests.write(["weights": ([1, 5001], [Float](repeating: 0, count: 5001))], to: input)
    expectFailure(
      try attention("plot", input, "-o", svg, "--query", "0"), status: 64, naming: ["5001 keys", "5000", "--columns"])
    expectFailure(try attention("plot", input, "-o", html), status: 64, naming: ["1 × 5001", "4000", "--columns"])
    try PlotTests.write(["weights": ([17, 500, 500], [Float](repeating: 0, count: 4_250_000))], to: input)
    expectFailure(
      try attention("plot", input, "-o", html), status: 64, naming: ["17 maps of 500 × 500", "4000000", "--head"])
    try PlotTests.write(["weights": ([2001, 2000], [Float](repeating: 0, count: 4_002_000))], to: input)
    expectFailure(try attention("plot", input), status: 64, naming: ["2001 × 2000", "4000000", "--rows"])
    #expect(try directory.contents == ["in", "x.svg"])
  }

  @Test func placesThatCannotBeWritten() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try PlotTests.write(["weights": ([1, 1], [1])], to: input)
    let folder = directory.file("folder.svg")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    expectFailure(try attention("plot", input, "-o", folder), status: 73, naming: [folder, "directory"])
    expectFailure(
      try attention("plot", input, "-o", directory.file("none/x.svg")), status: 73,
      naming: ["none/x.svg", "No such file"])
    #expect(try directory.contents == ["folder.svg", "in.safetensors"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullStandardOutput() throws {
    let directory = try TemporaryDirectory()
    try PlotTests.write(["weights": ([1, 1], [1])], to: directory.file("in"))
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh", ["-c", #"exec "$1" plot "$2/in" > /dev/full"#, "sh", command, directory.path])
    expectFailure(outcome, status: 73, naming: ["stdout", "No space left"])
  }
}
