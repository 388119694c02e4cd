import AttentionReference
import Safetensors
import Testing

/// The whole output file has the same bytes for any number of threads, on every instruction set.
@Suite struct ThreadTests {
  /// Enough rows, heads and keys for several work items and key tiles, and tails of both.
  static let shape = ReferenceShape(
    batch: 2, queryHeads: 4, keyHeads: 2, queryLength: 101, keyLength: 203, headDimension: 24, valueDimension: 17)

  @Test(arguments: SafetensorsType.attentionTypes)
  func sameBytes(type: SafetensorsType) throws {
    #expect(AttentionExecutable.instructionSets.contains("portable"))
    for problem in [Problem(Self.shape, type: type), Problem.withEverything(type: type, shape: Self.shape)] {
      let directory = try TemporaryDirectory()
      let (input, output) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
      try problem.write(to: input)
      for name in AttentionExecutable.instructionSets {
        func run(_ more: [String]) throws -> [UInt8] {
          let arguments = ["run", input, "-o", output, "--emit", "weights,scores"] + problem.arguments + more
          expectSilentSuccess(try attention(arguments, environment: ["ATTENTION_ISA": name]))
          return try bytes(of: output)
        }
        let one = try run(["--threads", "1"])
        #expect(try ResultFile(bytes: one).numbers("output").contains { $0 != 0 })
        for threads in [2, 3, 7] {
          #expect(try run(["--threads", "\(threads)"]) == one, "\(threads) threads, \(name)")
        }
        #expect(try run([]) == one, "\(name)")
      }
    }
  }

  /// The problem is big enough to be shared: otherwise the test above would compare one thread with itself.
  @Test func theWorkIsShared() throws {
    let plan = try explanation(
      [
        "--batch", "2", "--heads", "4", "--kv-heads", "2", "--queries", "101", "--keys", "203", "--dimension", "24",
        "--value-dimension", "17", "--threads", "7",
      ])
    #expect(plan.items >= 7)
    #expect(plan.threads == 7)
  }

  /// The oracle is one thread's work; the option is accepted all the same.
  @Test func theReferenceTakesThreads() throws {
    let problem = Problem()
    #expect(try problem.run(["--reference", "--threads", "3"]) == problem.run(["--reference"]))
  }

  /// More threads than there is work for, and far more than there are cores.
  @Test func manyThreads() throws {
    let problem = Problem()
    #expect(try problem.run(["--threads", "2147483647"]) == problem.run(["--threads", "1"]))
  }
}
