import Attention
import Testing

@Suite struct InstructionSetTests {
  static let shape = AttentionShape(batch: 1, queryHeads: 2, queryLength: 5, headDimension: 8)

  @Test func portableIsAlwaysThere() {
    #expect(availableInstructionSets.contains("portable"))
    #expect(AttentionSystem.instructionSets.last?.name == "portable")
    #expect(AttentionSystem.defaultInstructionSet.map(availableInstructionSets.contains) == true)
  }

  @Test(arguments: availableInstructionSets, AttentionScalarType.testable)
  func theOneNamedRuns(name: String, type: AttentionScalarType) throws {
    let plan = try AttentionPlan(
      shape: Self.shape, type: type, options: AttentionOptions(instructionSet: name))
    #expect(plan.instructionSet == name)
    #expect(plan.kernel == "\(name)-\(type == .float64 ? "f64" : "f32")")
  }

  @Test func nilIsTheDefault() throws {
    #expect(try AttentionPlan(shape: Self.shape).instructionSet == AttentionSystem.defaultInstructionSet)
  }

  @Test(arguments: ["mmx", "", "AVX2", "portable "]) func unknownName(name: String) throws {
    let options = AttentionOptions(instructionSet: name)
    let planned = #expect(throws: AttentionError.self) { try AttentionPlan(shape: Self.shape, options: options) }
    #expect(planned?.code == .instructionSet && planned?.message.contains("'\(name)'") == true)
    let called = #expect(throws: AttentionError.self) {
      try Problem(queries: 2, keys: 2).fused(instructionSet: name)
    }
    #expect(called?.code == .instructionSet)
  }

  @Test func whatTheMachineLacksIsRefused() {
    for (name, isAvailable) in AttentionSystem.instructionSets where !isAvailable {
      let error = #expect(throws: AttentionError.self) {
        try Problem(queries: 2, keys: 2).fused(instructionSet: name)
      }
      #expect(error?.code == .instructionSet)
    }
  }
}
