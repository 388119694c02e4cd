import Attention
import Testing

/// What a trained transformer attends with: scores up to 40, where random inputs stay near 1.
@Suite struct TrainedTransformerTests {
  @Test func sample() throws {
    let inputs = try RecordedInputs(contentsOf: RecordedInputs.sample)
    #expect(inputs.problem.pairs == [2, 2, 222, 222])
    try inputs.expectAgreement(withNaive: true, masks: inputs.masks)
  }

  @Test func sampleInOtherTypes() throws {
    let inputs = try RecordedInputs(contentsOf: RecordedInputs.sample)
    // The inputs are Float numbers, so Double starts from the same.
    for name in availableInstructionSets {
      let fused = try inputs.problem.fused(as: .float64, instructionSet: name)
      let violation = inputs.problem.violation(
        of: fused, as: .float64, oracle: (inputs.output, inputs.logSumExp), naive: nil)
      #expect(violation == nil, "\(name)")
    }
  }

  @Test(
    .enabled(if: RecordedInputs.haveLayers, "the whole layers are not beside the checkout"),
    arguments: RecordedInputs.layers)
  func wholeLayer(path: String) throws {
    let inputs = try RecordedInputs(contentsOf: path)
    #expect(inputs.problem.pairs == [4, 12, 222, 222])
    try inputs.expectAgreement(withNaive: false, masks: Array(inputs.masks.suffix(1)))
    // The textbook code takes seconds a head in debug builds.
    try inputs.heads([3]).expectAgreement(withNaive: true, masks: Array(inputs.masks.prefix(1)))
  }
}
