import Attention
import Testing

/// In the mean, where luck and worst cases cancel, the kernels lose at most twice what the textbook code loses. This
/// is sharper than any bound on single elements: an exponential of half the digits would show.
@Suite struct MeanErrorTests {
  @Test(arguments: availableInstructionSets) func rootMeanSquare(instructionSet: String) throws {
    var fusedSum = 0.0
    var naiveSum = 0.0
    var count = 0
    for (seed, sizes) in [(64, 64), (31, 129), (48, 200), (7, 300)].enumerated() {
      var problem = Problem(
        queries: sizes.0, keys: sizes.1, dimension: 32, valueDimension: 16, seed: UInt64(seed))
      problem.options.scale = 1
      problem = problem.rounded(to: .float32)
      let oracle = problem.reference().output
      let naive = problem.naive(in: .float32).output
      let fused = try problem.fused(instructionSet: instructionSet).output
      try #require(fused.count == oracle.count && naive.count == oracle.count)
      for index in oracle.indices {
        fusedSum += (fused[index] - oracle[index]) * (fused[index] - oracle[index])
        naiveSum += (naive[index] - oracle[index]) * (naive[index] - oracle[index])
      }
      count += oracle.count
    }
    let root = { (sum: Double) in (sum / Double(count)).squareRoot() }
    #expect(root(naiveSum) > 0)
    #expect(root(fusedSum) <= 2 * root(naiveSum))
  }
}
