import Attention
import AttentionReference
import Foundation
import Testing

@Suite struct LogSumExpTests {
  @Test("Line 4: log-sum-exp is base e, of the final scores")
  func ofTheFinalScores() throws {
    var problem = Problem(heads: 2, queries: 5, keys: 140, dimension: 8)
    let step = { (change: (inout ReferenceOptions) -> Void) in
      let before = try problem.fused(as: .float64).bits.logSumExp
      change(&problem.options)
      try expectAgreement(problem)
      let after = try problem.fused(as: .float64).bits.logSumExp
      #expect(after != before)
    }
    try step { $0.scale = 2 }
    try step { $0.softcap = 1.5 }
    try step { $0.bias = ReferenceBroadcast(elements: (0..<140).map { Double($0 % 7) }, shape: [140]) }
    try step { $0.alibiSlopes = [0.5, 0.25] }
    try step { $0.keyLengths = [133] }
    try step { $0.sinks = [1, 3] }
  }

  /// n equal scores s: ln(n·e^s) = s + ln n. Two roundings of s, one of ln, one of the sum.
  @Test("Line 4: n equal scores of s give s + ln n", arguments: Kernel.all)
  func equalScores(kernel: Kernel) throws {
    var problem = Problem(queries: 1, keys: 100, dimension: 1)
    problem.queries = [1.5]
    problem.keys = [Double](repeating: 2, count: 100)
    problem.options.scale = 0.5
    let expected = 1.5 + log(100.0)
    let lse = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).logSumExp
    #expect(lse.count == 1)
    #expect((lse[0] - expected).magnitude <= 8 * kernel.type.unitRoundoff * expected)
  }

  @Test("Line 4: log-sum-exp is undropped", arguments: Kernel.all)
  func undropped(kernel: Kernel) throws {
    var problem = Problem(queries: 5, keys: 140)
    let plain = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    problem.options.dropoutProbability = 0.5
    let dropped = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    #expect(dropped.logSumExp == plain.logSumExp)
    #expect(dropped.output != plain.output)
  }
}
