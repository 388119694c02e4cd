import Attention
import AttentionReference
import Foundation
import Testing

@Suite struct OrderTests {
  /// q·k = 3 and a cap of 2: a score is 2·tanh(scale·3 ÷ 2) + bias − slope·distance. A few roundings of magnitudes
  /// below 8.
  @Test("Line 6: scale, softcap, bias, ALiBi, mask, softmax, in this order", arguments: Kernel.all)
  func order(kernel: Kernel) throws {
    var problem = Problem(queries: 1, keys: 4, dimension: 1)
    problem.queries = [1.5]
    problem.keys = [2, 2, 2, 2]
    problem.options = ReferenceOptions(
      scale: 0.75, softcap: 2, mask: ReferenceBroadcast(elements: [true, true, false, true], shape: [4]),
      bias: ReferenceBroadcast(elements: [5, -0.5, 100, 0], shape: [4]), alibiSlopes: [0.25])
    problem.readOutWeights()
    let capped = 2 * tanh(0.75 * 3 / 2)
    let scores = [capped + 5, capped - 0.5 - 0.25, -.infinity, capped - 0.75]
    let sum = scores.reduce(0) { $0 + exp($1) }
    let u = kernel.type.unitRoundoff
    let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    let weights = firstViolation("weights", fused.output, oracle: scores.map { exp($0) / sum }, naive: nil) { j in
      // The error of a score is a relative one of its weight; then the storage type's rounding.
      let weight = exp(scores[j]) / sum
      return weight == 0 ? 0 : 40 * 8 * u * weight + kernel.type.scalar.halfUlp(at: weight)
    }
    let lse = firstViolation("logSumExp", fused.logSumExp, oracle: [log(sum)], naive: nil) { _ in 40 * 8 * u }
    #expect(weights == nil && lse == nil)
    try expectAgreement(problem, as: [kernel.type])
  }

  /// 50·tanh(s ÷ 50) from the smallest scores to saturation; both branches of tanh.
  @Test("Line 6: softcap over its whole range", arguments: [1e-3, 0.1, 1, 10, 50, 1e4])
  func softcap(cap: Double) throws {
    for scale in [1e-4, 0.3, 40] {
      try expectAgreement(Problem(queries: 5, keys: 66, options: ReferenceOptions(scale: scale, softcap: cap)))
    }
  }
}
