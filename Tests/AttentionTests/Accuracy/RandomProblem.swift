import Attention
import AttentionReference

/// A random problem, the type it is stored as and its place in memory, all from a seed.
struct RandomProblem: Sendable, CustomStringConvertible {
  let seed: UInt64
  let type: AttentionScalarType
  let problem: Problem
  let arrangement: Arrangement

  /// Nothing, one, and one less and more than vectors, register tiles and score tiles: 4, 6, 8, 16, 48, 64, 128.
  static let lengths = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 95, 97, 127, 128, 129, 257,
  ]
  static let dimensions = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 128, 129, 257]
  /// Multiply-adds of a problem, so that the oracle stays quick in debug builds.
  static let largestWork = 150_000

  init(seed: UInt64) {
    self.seed = seed
    var generator = SeededGenerator(seed: seed)
    type = generator.pick(AttentionScalarType.testable)
    var problem = Problem(.random(using: &generator), using: &generator)
    problem.chooseOptions(using: &generator)
    self.problem = problem.rounded(to: type)
    arrangement = Arrangement(
      layout: generator.coin() ? .bhsd : .bshd, rowGap: generator.coin() ? 0 : .random(in: 1...5, using: &generator),
      guardBand: generator.coin() ? 0 : 9)
  }

  var description: String { "seed \(seed): \(type), \(problem), \(arrangement)" }
}

extension ReferenceShape {
  var work: Int { batch * queryHeads * queryLength * keyLength * (headDimension + valueDimension) }

  static func random(using generator: inout SeededGenerator) -> ReferenceShape {
    while true {
      let keyHeads = Int.random(in: 1...3, using: &generator)
      let dimension = generator.pick(RandomProblem.dimensions)
      let shape = ReferenceShape(
        batch: generator.pick([0, 1, 1, 1, 2, 2, 2, 3, 3]),
        queryHeads: keyHeads * .random(in: 1...3, using: &generator), keyHeads: keyHeads,
        queryLength: generator.pick(RandomProblem.lengths), keyLength: generator.pick(RandomProblem.lengths),
        headDimension: dimension,
        valueDimension: generator.coin() ? dimension : generator.pick(RandomProblem.dimensions))
      if shape.work <= RandomProblem.largestWork { return shape }
    }
  }
}

extension Problem {
  /// Each option is on with probability one half or less.
  fileprivate mutating func chooseOptions(using generator: inout SeededGenerator) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    if generator.coin() { options.scale = generator.coin(0.2) ? 0 : .random(in: -2...2, using: &generator) }
    if generator.coin(0.3) { options.softcap = .random(in: 0.5...3, using: &generator) }
    if generator.coin() { options.causal = true }
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: alignment = .topLeft
    case 1:
      alignment = .bottomRight
      options.queryOffsets = [Sk - Sq]
    case 2: options.queryOffsets = [.random(in: -Sk...Sk, using: &generator)]
    case 3: options.queryOffsets = (0..<shape.batch).map { _ in Int.random(in: -Sk...Sk, using: &generator) }
    default: break
    }
    if generator.coin(0.3) { options.windowLeft = .random(in: 0...Sk, using: &generator) }
    if generator.coin(0.3) { options.windowRight = .random(in: 0...Sk, using: &generator) }
    if generator.coin(0.3) {
      options.keyLengths = (0..<shape.batch).map { _ in Int.random(in: 0...Sk, using: &generator) }
    }
    if generator.coin(0.4) {
      let axes = broadcastShape(using: &generator)
      let density = generator.pick([0.1, 0.5, 0.9])
      let elements = (0..<axes.reduce(1, *)).map { _ in generator.coin(density) }
      options.mask = ReferenceBroadcast(elements: elements, shape: axes)
    }
    if generator.coin(0.4) {
      let axes = broadcastShape(using: &generator)
      options.bias = ReferenceBroadcast(elements: generator.numbers(axes.reduce(1, *)).map { 3 * $0 }, shape: axes)
    }
    if generator.coin(0.3) { options.alibiSlopes = AttentionReference.alibiSlopes(heads: shape.queryHeads) }
    if generator.coin(0.3) { options.sinks = generator.numbers(shape.queryHeads).map { 3 * $0 } }
    if generator.coin(0.25) {
      options.dropoutProbability = .random(in: 0.1..<0.9, using: &generator)
      options.dropoutSeed = generator.next()
    }
  }

  /// The last axes of [B, H, Sq, Sk], some of them 1.
  private func broadcastShape(using generator: inout SeededGenerator) -> [Int] {
    let rank = Int.random(in: 0...4, using: &generator)
    return pairs.suffix(rank).map { generator.coin(0.7) ? $0 : 1 }
  }
}
