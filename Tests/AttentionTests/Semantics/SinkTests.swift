import Attention
import AttentionReference
import Foundation
import Testing

@Suite struct SinkTests {
  /// Equal scores of 0 over n keys: each weighs 1 ÷ (n + e^sink), however many tiles the keys take.
  @Test("Line 11: a sink is one extra logit in the denominator, counted once", arguments: [1, 64, 129, 500])
  func once(keys: Int) throws {
    var problem = Problem(
      heads: 2, queries: 3, keys: keys, dimension: 1, options: ReferenceOptions(scale: 0, sinks: [3, -1]))
    problem.values = [Double](repeating: 1, count: 2 * keys)
    for kernel in Kernel.all {
      let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      #expect(fused.output.count == 6)
      for row in 0..<6 {
        let sum = Double(keys) + exp(row < 3 ? 3 : -1)
        let u = kernel.type.unitRoundoff
        let slack = 16 * u + kernel.type.scalar.halfUlp(at: Double(keys) / sum)
        #expect((fused.output[row] - Double(keys) / sum).magnitude <= slack)
        #expect((fused.logSumExp[row] - log(sum)).magnitude <= 16 * u * max(1, log(sum)))
      }
    }
  }

  @Test("Line 11: sinks far below and far above the scores", arguments: [-1e30, -200, 200, 1e30, -Double.infinity])
  func extremes(sink: Double) throws {
    let options = ReferenceOptions(sinks: [sink])
    let problem = Problem(queries: 5, keys: 140, options: options)
    if sink.magnitude < 1e9 {
      try expectAgreement(problem)
      return
    }
    // Beyond the range of exp: nothing, or everything.
    var without = problem
    without.options.sinks = nil
    for kernel in Kernel.all {
      let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      if sink < 0 {
        let expected = try without.fused(as: kernel.type, instructionSet: kernel.instructionSet)
        #expect(fused.bits == expected.bits)
      } else {
        #expect(fused.output.allSatisfy { $0 == 0 })
        #expect(fused.logSumExp.allSatisfy { ($0 / 1e30 - 1).magnitude <= 4 * kernel.type.unitRoundoff })
      }
    }
  }

  @Test("Line 11: a sink gives no row something to attend to")
  func emptyRows() throws {
    let problem = Problem(queries: 2, keys: 3, options: ReferenceOptions(keyLengths: [0], sinks: [2]))
    let fused = try problem.fused()
    #expect(fused.output.allSatisfy { $0 == 0 } && fused.logSumExp == [-.infinity, -.infinity])
  }
}
