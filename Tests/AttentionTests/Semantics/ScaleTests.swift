import Attention
import AttentionReference
import Foundation
import Testing

@Suite struct ScaleTests {
  @Test("Line 5: scale defaults to 1 ÷ √D", arguments: [1, 2, 3, 16, 64, 100])
  func standard(dimension: Int) throws {
    for kernel in Kernel.all {
      var problem = Problem(queries: 3, keys: 5, dimension: dimension)
      let standard = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
      problem.options.scale = 1 / Double(dimension).squareRoot()
      #expect(try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits == standard)
    }
  }

  @Test("Line 5: any finite scale is legal", arguments: [0, -0.0, -0.7, 1, -3, 1e-30, 4])
  func anyFinite(scale: Double) throws {
    try expectAgreement(Problem(queries: 7, keys: 66, options: ReferenceOptions(scale: scale)))
  }

  /// Scores of 0 weigh all values alike. The mean rounds Sk sums and a product of magnitudes of at most 1.
  @Test("Line 5: scale 0 gives the mean of the values", arguments: Kernel.all)
  func zero(kernel: Kernel) throws {
    var problem = Problem(queries: 2, keys: 77, dimension: 3, options: ReferenceOptions(scale: 0))
    problem = problem.rounded(to: kernel.type)
    let fused = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    for d in 0..<3 {
      let mean = (0..<77).reduce(0) { $0 + problem.values[$1 * 3 + d] } / 77
      let slack = 2 * 80 * kernel.type.unitRoundoff + kernel.type.scalar.halfUlp(at: mean.magnitude)
      #expect((fused.output[d] - mean).magnitude <= slack)
      #expect((fused.output[3 + d] - mean).magnitude <= slack)
    }
    #expect(fused.logSumExp.allSatisfy { ($0 - log(77.0)).magnitude <= 8 * kernel.type.unitRoundoff * log(77.0) })
  }

  @Test("Line 5: a negative scale is a positive one of negated queries", arguments: Kernel.all)
  func negative(kernel: Kernel) throws {
    let problem = Problem(queries: 7, keys: 66, options: ReferenceOptions(scale: -0.8))
    var negated = problem
    negated.options.scale = 0.8
    let positive = try negated.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    negated.queries = problem.queries.map { -$0 }
    let result = try problem.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits
    #expect(try negated.fused(as: kernel.type, instructionSet: kernel.instructionSet).bits == result)
    #expect(result != positive)
  }
}
