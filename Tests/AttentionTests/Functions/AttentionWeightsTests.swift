import Attention
import AttentionReference
import Testing

@Suite struct AttentionWeightsTests {
  /// Weights are at most 1 and rounded like outputs of values of at most 1; the bound of the log-sum-exp is one of a
  /// score. Both twice: once for the sum, once for the element.
  @Test(arguments: 0..<40) func agreesWithTheOracle(seed: UInt64) throws {
    // Of the seeds above, only some are in Double: any problem may be taken as one.
    var problem = RandomProblem(seed: 1000 + seed).problem
    problem.options.dropoutProbability = 0
    let oracle = problem.reference(emittingMatrices: true)
    let bound = RoundingBound(problem, type: .float64, oracle: oracle.logSumExp).logSumExp
    let Sk = problem.shape.keyLength
    for name in availableInstructionSets {
      let scores = firstViolation(
        "scores", try problem.scores(instructionSet: name), oracle: try #require(oracle.scores), naive: nil
      ) { 2 * bound[$0 / Sk] }
      let weights = firstViolation(
        "weights", try problem.weights(instructionSet: name), oracle: try #require(oracle.weights), naive: nil
      ) { 2 * bound[$0 / Sk] }
      #expect(scores == nil && weights == nil, "seed \(1000 + seed): \(problem), \(name)")
    }
  }

  @Test func ofTensors() {
    let problem = Problem(batch: 2, heads: 4, keyHeads: 2, queries: 5, keys: 70, dimension: 6).rounded(to: .float32)
    var masked = problem
    masked.options = ReferenceOptions(causal: true, queryOffsets: [40], sinks: [0, 1, 2, 3])
    let oracle = masked.reference(emittingMatrices: true)
    let (q, k, _) = problem.tensors
    let weights = attentionWeights(
      queries: q, keys: k, mask: masked.mask, options: masked.attentionOptions(for: .float32))
    #expect(weights.shape == [2, 4, 5, 70])
    let bound = RoundingBound(masked, type: .float32, oracle: oracle.logSumExp).logSumExp
    let violation = firstViolation(
      "weights", weights.scalars.map { Double($0) }, oracle: oracle.weights ?? [], naive: nil
    ) { 2 * bound[$0 / 70] }
    #expect(violation == nil)
  }

  /// Weights are those before dropout.
  @Test func undropped() {
    let (q, k, _) = Problem(queries: 5, keys: 20).tensors
    let options = AttentionOptions(dropout: AttentionDropout(probability: 0.5, seed: 1))
    #expect(attentionWeights(queries: q, keys: k, options: options) == attentionWeights(queries: q, keys: k))
  }
}
