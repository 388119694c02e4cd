import AttentionReference
import Testing

/// Gradients against those recorded from PyTorch by Fixtures/make_pytorch_fixtures.py.
@Suite struct PyTorchGradientTests {
  @Test func everyCaseIsRecorded() throws {
    let names = try RecordedCase.fixtures(named: "pytorch-gradients").names
    #expect(Set(names.map { String($0.prefix { $0 != "/" }) }) == Set(PyTorchTests.cases))
  }

  @Test(arguments: PyTorchTests.cases) func agrees(name: String) throws {
    let recorded = try RecordedCase(named: name)
    for implementation in [Implementation.reference, .naiveDouble] {
      let bound = recorded.problem.gradientRoundingBound(
        unitRoundoff: implementation.unitRoundoff, outputGradient: recorded.outputGradient)
      let gradients = implementation.gradients(of: recorded.problem, outputGradient: recorded.outputGradient)
      #expect(bound < 1e-8)
      #expect(largestMagnitude(gradients.values) > 0.1)
      #expect(gradients.largestDifference(from: recorded.gradients) <= bound, "\(implementation)")
    }
  }

  /// A recorded case proves something about an option only if its gradients come out differently without it.
  @Test(arguments: PyTorchTests.cases) func everyOptionMatters(name: String) throws {
    let recorded = try RecordedCase(named: name)
    for option in recorded.problem.options.namesInUse {
      var problem = recorded.problem
      problem.options = problem.options.without(option)
      let gradients = Implementation.reference.gradients(of: problem, outputGradient: recorded.outputGradient)
      #expect(largestDifference(gradients.queries, recorded.gradients.queries) > 1e-3, "\(option) makes no difference")
      #expect(largestDifference(gradients.keys, recorded.gradients.keys) > 1e-3, "\(option) makes no difference")
    }
  }
}
