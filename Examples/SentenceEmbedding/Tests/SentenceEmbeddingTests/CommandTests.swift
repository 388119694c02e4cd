#if canImport(Darwin)
  import Darwin
#endif
import Foundation
import Safetensors
import SentenceEmbedding
import Testing

/// The built `sentence-embedding` executable, which lies in the directory of the tests (on Linux) or above the bundle
/// that they are in (on macOS).
private let executable: String? = {
  var places = ["/proc/self/exe", CommandLine.arguments[0]]
  #if canImport(Darwin)
    var image = Dl_info()
    if dladdr(#dsohandle, &image) != 0, let name = image.dli_fname { places.insert(String(cString: name), at: 0) }
  #endif
  for place in places {
    var directory = URL(fileURLWithPath: place).resolvingSymlinksInPath()
    for _ in 0..<5 {
      directory.deleteLastPathComponent()
      let candidate = directory.appendingPathComponent("sentence-embedding").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
  }
  return nil
}()

private struct Outcome {
  var status: Int32
  var output: String
  var error: String
}

/// Runs the command with files for its streams: nothing waits for a reader.
private func run(_ arguments: [String], input: String = "") throws -> Outcome {
  let path = try #require(executable, "no executable called sentence-embedding beside the tests")
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: directory) }
  let streams = ["in", "out", "err"].map { directory.appendingPathComponent($0) }
  try Data(input.utf8).write(to: streams[0])
  for stream in streams.dropFirst() { try Data().write(to: stream) }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  process.standardInput = try FileHandle(forReadingFrom: streams[0])
  process.standardOutput = try FileHandle(forWritingTo: streams[1])
  process.standardError = try FileHandle(forWritingTo: streams[2])
  try process.run()
  process.waitUntilExit()
  return Outcome(
    status: process.terminationReason == .exit ? process.terminationStatus : -1,
    output: try String(contentsOf: streams[1], encoding: .utf8),
    error: try String(contentsOf: streams[2], encoding: .utf8))
}

@Suite("The command")
struct CommandTests {
  struct Line: Decodable {
    var text: String
    var embedding: [Float]
  }

  let model: String
  let texts = ["The cat sat.", "a \"quoted\" \\ text\twith é, 😀 and \u{1b}", "", "running"]

  init() throws { model = try Recorded.path("tiny") }

  private func lines(_ outcome: Outcome) throws -> [Line] {
    #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
    return try outcome.output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  @Test("a line of JSON for each sentence, with all digits")
  func json() throws {
    let lines = try lines(run([model] + texts))
    #expect(lines.map(\.text) == texts)
    #expect(lines.flatMap(\.embedding) == (try SentenceEmbedder(contentsOf: model)(texts).scalars))
  }

  @Test("the lines of standard input", arguments: [["-"], []])
  func standardInput(arguments: [String]) throws {
    let lines = try lines(run([model, "--batch", "3"] + arguments, input: texts.joined(separator: "\n") + "\n"))
    #expect(lines.map(\.text) == texts)
    #expect(lines.flatMap(\.embedding) == (try SentenceEmbedder(contentsOf: model)(texts).scalars))
    #expect(try self.lines(run([model] + arguments)).isEmpty)
  }

  @Test("a file of all embeddings, and their similarities")
  func fileAndSimilarities() throws {
    let copy = try ModelCopy()
    let outcome = try run([model, "--similarity", "-o", copy.file("out.safetensors")] + texts)
    #expect(outcome.status == 0 && outcome.error == "")
    let embeddings = try SentenceEmbedder(contentsOf: model)(texts)
    let tensor = try SafetensorsFile(contentsOf: copy.file("out.safetensors")).tensor(named: "embeddings")
    #expect(tensor.shape == [4, 32] && tensor.scalars(as: Float.self) == embeddings.scalars)
    let rows = outcome.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
    try #require(rows.count == 4)
    let similarities = embeddings.similarities()
    for (i, row) in rows.enumerated() {
      for j in 0..<4 { #expect(abs(try #require(Float(row[1 + j])) - similarities[i, j]) <= 0.00051) }
    }
    #expect(rows[0].suffix(3) == ["The", "cat", "sat."])
    #expect(!outcome.output.contains("\u{1b}"))
  }

  @Test("wrong usage, bad models and outputs: a status and one line")
  func failures() throws {
    let copy = try ModelCopy()
    try copy.replace(#""hidden_act": "gelu""#, by: #""hidden_act": "a\nb""#, in: "config.json")
    for (arguments, status, words) in [
      ([], 64, ["model"]), ([model, "-", "more"], 64, ["'-'"]), ([model, "--batch", "0", "x"], 64, ["--batch"]),
      ([model, "--nonsense"], 64, ["--nonsense"]), (["/nowhere", "x"], 65, ["/nowhere/config.json"]),
      ([copy.path, "x"], 65, ["config.json", "hidden_act", #"a\u{a}b"#]),
      ([model, "x", "-o", "/nowhere/out.safetensors"], 73, ["/nowhere/out.safetensors"]),
    ] as [([String], Int32, [String])] {
      let outcome = try run(arguments)
      #expect(outcome.status == status && outcome.output == "", "\(arguments)")
      #expect(outcome.error.hasPrefix("sentence-embedding: "), "\(outcome.error)")
      #expect(outcome.error.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(outcome.error)")
      for word in words { #expect(outcome.error.contains(word), "\(outcome.error)") }
    }
  }
}
