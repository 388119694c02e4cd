import Attention
import AttentionReference
import Testing

/// Fused additive attention and its pullback against the oracle, within 2·|naive − oracle| and the bound of
/// ``AdditiveBound``, on every instruction set.
@Suite struct AdditiveAttentionTests {
  static let seeds = UInt64(1)...60

  @Test(arguments: seeds) func agreesWithOracle(seed: UInt64) {
    let problem = Problem.additive(seed: seed)
    let outputGradient = problem.outputGradient(seed: seed)
    let oracle = problem.reference(emittingMatrices: true)
    let expected = referenceAttentionGradients(
      queries: problem.queries, keys: problem.keys, values: problem.values, outputGradient: outputGradient,
      shape: problem.shape, options: problem.options)
    let naive = problem.naiveGradients(outputGradient)
    let bound = AdditiveBound(problem, oracle: oracle, outputGradient: outputGradient)
    let naiveOutput = problem.naive(in: .float32).output
    for instructionSet in availableInstructionSets {
      let (output, gradients) = problem.fusedAdditive(outputGradient, instructionSet: instructionSet)
      let results: [(String, [Float], [Double], [Double], [Double])] = [
        ("output", output.scalars, oracle.output, naiveOutput, bound.output),
        ("queries", gradients.queries.scalars, expected.queries, naive.queries, bound.queries),
        ("keys", gradients.keys.scalars, expected.keys, naive.keys, bound.keys),
        ("values", gradients.values.scalars, expected.values, naive.values, bound.values),
        ("vector", gradients.vector?.scalars ?? [], expected.additive ?? [], naive.vector, bound.vector),
        ("sinks", gradients.sinks ?? [], expected.sinks ?? [], naive.sinks, bound.sinks),
      ]
      // Numbers below the least normal one may count as 0, a term of each sum.
      let underflow = Double(problem.rowCount * problem.shape.keyLength + 1) * AttentionScalarType.float32.leastNormal
      for (name, fused, exact, naive, slack) in results {
        let violation = firstViolation(name, fused.map { Double($0) }, oracle: exact, naive: naive) {
          slack[$0] + underflow
        }
        #expect(violation == nil, "seed \(seed), \(instructionSet), \(problem)")
      }
    }
  }

  /// The problems have empty rows, masks, both kinds of vectors, both ways to take a tanh, and a bound that would let
  /// nothing else pass.
  @Test func problemsHaveSomethingToSay() {
    var (empty, shared, separate, large, tight) = (0, 0, 0, 0, 0)
    for seed in Self.seeds {
      let problem = Problem.additive(seed: seed)
      let oracle = problem.reference(emittingMatrices: true)
      empty += oracle.logSumExp.contains(-.infinity) ? 1 : 0
      let isShared = problem.options.additive?.count == problem.shape.headDimension
      shared += isShared ? 1 : 0
      separate += isShared ? 0 : 1
      large += problem.queries.contains { $0.magnitude > 10.5 } ? 1 : 0
      let bound = AdditiveBound(problem, oracle: oracle, outputGradient: problem.outputGradient(seed: seed))
      let size = oracle.output.map(\.magnitude).max() ?? 0
      tight += size > 1000 * (bound.output.max() ?? 0) ? 1 : 0
    }
    #expect(empty >= 5 && shared >= 10 && separate >= 10 && large >= 10, "\(empty) \(shared) \(separate) \(large)")
    #expect(tight >= 40, "\(tight)")
  }

  /// What the mask hides is not read, whatever it holds, forward and backward.
  @Test func maskedNumbersDoNotLeak() {
    var problem = Problem(batch: 2, heads: 2, queries: 5, keys: 37, dimension: 6, valueDimension: 3, seed: 7)
    problem.options.additive = [1, -2, 0.5, 0.25, -0.75, 3]
    problem.options.keyLengths = [20, 0]
    let outputGradient = problem.outputGradient(seed: 7)
    var poisoned = problem
    for b in 0..<2 {
      for h in 0..<2 {
        for j in [20, 0][b]..<37 {
          poisoned.setKey(.nan, batch: b, keyHead: h, key: j)
          poisoned.setValue(.infinity, batch: b, keyHead: h, key: j)
        }
      }
    }
    // The second sequence attends to nothing: its queries and their output gradients do not count either.
    for index in problem.queries.count / 2..<problem.queries.count { poisoned.queries[index] = .nan }
    for instructionSet in availableInstructionSets {
      let clean = problem.fusedAdditive(outputGradient, instructionSet: instructionSet)
      let dirty = poisoned.fusedAdditive(outputGradient, instructionSet: instructionSet)
      #expect(clean.output == dirty.output && clean.gradients == dirty.gradients, "\(instructionSet)")
      #expect(clean.gradients.vector!.scalars.allSatisfy { $0 != 0 })
    }
  }
}

extension Problem {
  /// Projected queries and keys of all sizes: some pairs near 0, some saturated, some large that cancel.
  fileprivate static func additive(seed: UInt64) -> Problem {
    var generator = SeededGenerator(seed: seed)
    let keyHeads = Int.random(in: 1...2, using: &generator)
    var shape = ReferenceShape(
      batch: .random(in: 1...2, using: &generator), queryHeads: keyHeads * .random(in: 1...2, using: &generator),
      keyHeads: keyHeads, queryLength: generator.pick([1, 2, 5, 6, 7, 16, 25, 49]),
      keyLength: generator.pick([1, 3, 8, 15, 16, 17, 33, 65]), headDimension: generator.pick([1, 3, 4, 5, 8, 17, 64]),
      valueDimension: generator.pick([1, 3, 8, 9]))
    if shape.work > 60_000 { (shape.batch, shape.headDimension) = (1, 4) }
    var problem = Problem(shape, using: &generator)
    let magnitudes: [(size: Double, offset: Double)] = [(0.01, 0), (1, 0), (5, 0), (20, 0), (1, 30)]
    let mixed = generator.coin()
    let common = generator.pick(Array(magnitudes.prefix(3)))
    func stretch(_ rows: inout [Double], _ sign: Double) {
      for first in stride(from: 0, to: rows.count, by: shape.headDimension) {
        let (size, offset) = mixed ? generator.pick(magnitudes) : common
        for d in first..<first + shape.headDimension { rows[d] = rows[d] * size + sign * offset }
      }
    }
    stretch(&problem.queries, 1)
    stretch(&problem.keys, -1)
    let vectors = generator.coin() ? 1 : shape.queryHeads
    problem.options.additive = generator.numbers(vectors * shape.headDimension).map { 2 * $0 }
    problem.chooseMask(using: &generator)
    return problem.rounded(to: .float32)
  }

  private mutating func chooseMask(using generator: inout SeededGenerator) {
    let Sk = shape.keyLength
    if generator.coin(0.3) {
      options.causal = true
      options.queryOffsets = (0..<shape.batch).map { _ in Int.random(in: -Sk...Sk, using: &generator) }
    }
    if generator.coin(0.3) { options.windowLeft = .random(in: 0...Sk, using: &generator) }
    if generator.coin(0.4) {
      options.keyLengths = (0..<shape.batch).map { _ in Int.random(in: 0...Sk, using: &generator) }
    }
    if generator.coin(0.3) {
      let count = shape.queryLength * Sk
      options.mask = ReferenceBroadcast(
        elements: (0..<count).map { _ in generator.coin(0.7) }, shape: [shape.queryLength, Sk])
    }
    if generator.coin(0.3) { options.sinks = generator.numbers(shape.queryHeads) }
  }

  fileprivate func outputGradient(seed: UInt64) -> [Double] {
    var generator = SeededGenerator(seed: seed ^ 0xD0D0)
    return generator.floats(outputCount).map { Double($0) }
  }

  fileprivate func naiveGradients(
    _ outputGradient: [Double]
  ) -> (queries: [Double], keys: [Double], values: [Double], vector: [Double], sinks: [Double]) {
    let floats = { (numbers: [Double]) in numbers.map { Float($0) } }
    let doubles = { (numbers: [Float]) in numbers.map { Double($0) } }
    let naive = naiveAttentionGradients(
      queries: floats(queries), keys: floats(keys), values: floats(values), outputGradient: floats(outputGradient),
      shape: shape, options: options)
    return (
      doubles(naive.queries), doubles(naive.keys), doubles(naive.values), doubles(naive.additive ?? []),
      doubles(naive.sinks ?? [])
    )
  }

  fileprivate func fusedAdditive(
    _ outputGradient: [Double], instructionSet: String
  ) -> (output: Tensor, gradients: AttentionGradients) {
    let vectors = options.additive!.map { Float($0) }
    let D = shape.headDimension
    let vector = Tensor(vectors, shape: vectors.count == D ? [D] : [shape.queryHeads, D])
    let (output, pullback) = additiveAttentionWithPullback(
      queries: tensors.queries, keys: tensors.keys, values: tensors.values, vector: vector, mask: mask,
      options: attentionOptions(for: .float32, instructionSet: instructionSet, threads: 2))
    return (output, pullback(Tensor(outputGradient.map { Float($0) }, shape: output.shape)))
  }
}
