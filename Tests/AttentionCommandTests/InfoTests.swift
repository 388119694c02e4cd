import Foundation
import Testing

/// What `attention info --json` prints.
struct InfoReport: Decodable {
  struct InstructionSet: Decodable {
    var name: String
    var available: Bool
  }

  var version: String
  var processor, system: String
  var cores, threads: Int
  var level1CacheBytes, level2CacheBytes: Int
  var instructionSets: [InstructionSet]
  var instructionSet: String?
  var kernels: [String]
}

@Suite struct InfoTests {
  @Test func json() throws {
    let outcome = try attention("info", "--json")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    let report = try JSONDecoder().decode(InfoReport.self, from: Data(outcome.output))
    #expect(report.version + "\n" == (try attention("--version").text))
    #expect(!report.processor.isEmpty && !report.system.isEmpty)
    #expect(report.cores == ProcessInfo.processInfo.activeProcessorCount)
    #expect(report.threads >= 1)
    #expect(report.level1CacheBytes >= 8 << 10 && report.level2CacheBytes >= report.level1CacheBytes)
    #expect(report.instructionSets.contains { $0.name == "portable" && $0.available })
    #expect(report.instructionSet == report.instructionSets.first { $0.available }?.name)
    #expect(report.kernels.count == 2)
  }

  @Test func text() throws {
    let outcome = try attention("info")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    for label in ["processor", "cores", "threads", "caches", "instruction sets", "in use", "kernels", "portable"] {
      #expect(outcome.text.contains(label))
    }
    #expect(outcome.output.last == UInt8(ascii: "\n"))
  }

  @Test func threadsFollowOpenMP() throws {
    let outcome = try attention(["info", "--json"], environment: ["OMP_NUM_THREADS": "3"])
    #expect(try JSONDecoder().decode(InfoReport.self, from: Data(outcome.output)).threads == 3)
  }
}
