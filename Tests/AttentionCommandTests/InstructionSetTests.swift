import AttentionReference
import Foundation
import Safetensors
import Testing

@Suite struct InstructionSetTests {
  @Test(arguments: SafetensorsType.attentionTypes)
  func everyInstructionSetIsRight(type: SafetensorsType) throws {
    #expect(!AttentionExecutable.instructionSets.isEmpty)
    for name in AttentionExecutable.instructionSets {
      try Problem(type: type).expectOracleResults(optionsMatter: false, environment: ["ATTENTION_ISA": name])
      try Problem.withEverything(type: type).expectOracleResults(environment: ["ATTENTION_ISA": name])
    }
  }

  /// The forced one is the one that runs, by the plan and by what is in use.
  @Test func theForcedOneRuns() throws {
    for name in AttentionExecutable.instructionSets {
      let environment = ["ATTENTION_ISA": name]
      let plan = try explanation(["--queries", "64"], environment: environment)
      #expect(plan.instructionSet == name)
      #expect(plan.kernel == "\(name)-f32")
      let info = try attention(["info", "--json"], environment: environment)
      let report = try JSONDecoder().decode(InfoReport.self, from: Data(info.output))
      #expect(report.instructionSet == name)
      #expect(report.kernels == ["\(name)-f32", "\(name)-f64"])
    }
  }

  /// Without the variable the best one runs. An empty variable is none.
  @Test func theDefaultIsTheBest() throws {
    let best = AttentionExecutable.instructionSets.first
    #expect(best != nil)
    #expect(try explanation(["--queries", "64"]).instructionSet == best)
    #expect(try explanation(["--queries", "64"], environment: ["ATTENTION_ISA": ""]).instructionSet == best)
  }

  /// Two instruction sets round differently: the variable reaches `run`, not only the displays.
  @Test func instructionSetsDifferInBits() throws {
    let sets = AttentionExecutable.instructionSets
    guard sets.count > 1 else { return }
    let problem = Problem(ThreadTests.shape)
    let files = try sets.map { try problem.run(environment: ["ATTENTION_ISA": $0]) }
    #expect(files[0] != files[files.count - 1])
    #expect(try problem.run() == files[0])
  }

  @Test(arguments: ["nonsense", "AVX2 ", "portable-f32"])
  func unknownNames(name: String) throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
    try Problem().write(to: input)
    let environment = ["ATTENTION_ISA": name]
    let run = try attention(["run", input, "-o", output], environment: environment)
    // Whichever it is, the same cause has the same status in every command.
    guard case .exit(let status) = run.ending, status != 0 else {
      Issue.record("\(run)")
      return
    }
    for arguments in [
      ["run", input, "-o", output], ["explain"], ["explain", input], ["compare", input], ["compare", "--queries", "8"],
    ] {
      expectFailure(
        try attention(arguments, environment: environment), status: status, naming: ["ATTENTION_ISA", name])
    }
    #expect(try directory.contents == ["in.safetensors"])
  }

  /// `info` is what one looks at to find out.
  @Test func infoAnswersAllTheSame() throws {
    let outcome = try attention(["info"], environment: ["ATTENTION_ISA": "nonsense"])
    #expect(outcome.ending == .exit(0))
    #expect(outcome.text.contains("portable"))
    #expect(outcome.text.contains("ATTENTION_ISA"))
    #expect(outcome.error == "")
  }
}
