import Attention
import Testing

@Suite struct MonotonicAttentionTests {
  @Test func recorded() throws {
    let recorded = try AlignmentCase("monotonic")
    let offset = try recorded.input("offset").scalars[0]
    let layer = MonotonicAttention(GeneralAttention(weight: try recorded.input("weight")), offset: offset)
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.score.weight, is: "weight_gradient")
    try recorded.expect(Tensor([gradients.offset], shape: []), is: "offset_gradient")
  }

  /// With p = ½ everywhere, query i stops at key j with C(i + j, j)·2^{−(i + j + 1)}, both counted from 0: where the
  /// (i + 1)-th head falls when every toss either stops a query or passes a key. Powers of two to the bit.
  @Test func evenChances() {
    let zeros = Tensor(repeating: 0, shape: [1, 3, 2])
    let weights = MonotonicAttention(DotProductAttention(), offset: 0).weights(
      zeros, keys: Tensor(repeating: 0, shape: [1, 6, 2]))
    let choices: [[Float]] = [[1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6], [1, 3, 6, 10, 15, 21]]
    for i in 0..<3 {
      for j in 0..<6 { #expect(weights[0, i, j] == choices[i][j] / Float(1 << (i + j + 1))) }
    }
  }

  /// Energies far from 0 make the expectation what decoding chooses.
  @Test func certainChancesAreDecoded() throws {
    var numbers = AlignmentNumbers(seed: 1)
    let (queries, keys) = (numbers.tensor([3, 6, 4]), numbers.tensor([3, 11, 4]))
    let score = ScaledDotProductAttention(scale: 0x1p16)
    let layer = MonotonicAttention(score, offset: 8)
    let mask = AttentionMask.keyLengths([11, 7, 0])
    let energies = score.scores(queries, keys: keys, mask: mask)
    try #require(energies.scalars.allSatisfy { $0.magnitude > 40 + 8 })
    let (context, positions) = layer.decode(queries, keys: keys, mask: mask)
    let weights = layer.weights(queries, keys: keys, mask: mask)
    for (row, position) in positions.enumerated() {
      for j in 0..<11 { #expect((weights[row / 6, row % 6, j] - (j == position ? 1 : 0)).magnitude < 1e-6) }
    }
    #expect(try distance(context, layer(queries, keys: keys, mask: mask)) < 1e-5)
    #expect(Set(positions).count > 3 && positions.suffix(6).allSatisfy { $0 == nil })
  }

  @Test func decodingNeverGoesBack() throws {
    var numbers = AlignmentNumbers(seed: 2)
    let (queries, keys) = (numbers.tensor([4, 9, 5]), numbers.tensor([4, 30, 5]))
    let layer = MonotonicAttention(DotProductAttention())
    let (context, positions) = layer.decode(queries, keys: keys)
    for b in 0..<4 {
      var place = 0
      var hasEnded = false
      for i in 0..<9 {
        guard let position = positions[b * 9 + i] else {
          hasEnded = true
          #expect((0..<5).allSatisfy { context[b, i, $0] == 0 })
          continue
        }
        #expect(!hasEnded && position >= place)
        place = position
        #expect((0..<5).allSatisfy { context[b, i, $0] == keys[b, position, $0] })
      }
    }
    #expect(positions.contains(nil) && Set(positions).count > 5)
    // Step by step, each from where the one before stopped.
    var after: [Int?]?
    for i in 0..<9 {
      let query = Tensor((0..<4).flatMap { b in (0..<5).map { queries[b, i, $0] } }, shape: [4, 5])
      let step = layer.decode(query, keys: keys, after: after)
      #expect(step.positions == (0..<4).map { positions[$0 * 9 + i] })
      after = step.positions
    }
  }

  /// A query that sees nothing leaves the process where it was, in expectation and when decoding.
  @Test func hiddenQueriesAreAsIfAbsent() {
    var numbers = AlignmentNumbers(seed: 3)
    let (queries, keys) = (numbers.tensor([2, 4, 5]), numbers.tensor([2, 8, 5]))
    let layer = MonotonicAttention(DotProductAttention(), offset: 0)
    let mask = AttentionMask.boolean([true, false, true, true], shape: [4, 1])
    let shorter = queries.permutedRows([0, 2, 3])
    #expect(
      layer.weights(queries, keys: keys, mask: mask).permutedRows([0, 2, 3]) == layer.weights(shorter, keys: keys))
    let positions = layer.decode(queries, keys: keys, mask: mask).positions
    let expected = layer.decode(shorter, keys: keys).positions
    #expect(positions == [expected[0], nil, expected[1], expected[2], expected[3], nil, expected[4], expected[5]])
  }

  /// Keys that are hidden are passed over.
  @Test func hiddenKeysAreAsIfAbsent() {
    var numbers = AlignmentNumbers(seed: 4)
    let (queries, keys) = (numbers.tensor([2, 4, 5]), numbers.tensor([2, 6, 5]))
    let layer = MonotonicAttention(GeneralAttention(dimensions: 5, seed: 1), offset: 0)
    let kept = [1, 2, 5]
    let mask = AttentionMask.boolean((0..<6).map { kept.contains($0) }, shape: [6])
    let alone = layer.weights(queries, keys: keys.permutedRows(kept))
    let weights = layer.weights(queries, keys: keys, mask: mask)
    // α_0 is the first key, hidden or not.
    for i in 0..<4 { for (place, j) in kept.enumerated() { #expect(weights[0, i, j] == alone[0, i, place]) } }
    #expect((0..<4).allSatisfy { weights[1, $0, 0] == 0 && weights[1, $0, 3] == 0 && weights[1, $0, 4] == 0 })
  }

  /// Rows asked for are those of the whole, which they depend on.
  @Test func chosenRows() {
    var numbers = AlignmentNumbers(seed: 5)
    let (queries, keys) = (numbers.tensor([2, 4, 5]), numbers.tensor([2, 6, 5]))
    let layer = MonotonicAttention(DotProductAttention())
    let chosen = layer.weightsOnDemand(queries, keys: keys).matrix(rows: [3, 1])
    #expect(chosen.shape == [2, 1, 2, 6])
    #expect(chosen.scalars == layer.weights(queries, keys: keys).permutedRows([3, 1]).scalars)
  }

  @Test func misuse() async throws {
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let layer = MonotonicAttention(GeneralAttention(dimensions: 6, keyDimensions: 5, seed: 0))
      _ = layer(Tensor(repeating: 0, shape: [2, 4, 6]), keys: Tensor(repeating: 0, shape: [2, 3, 6]))
    }
    try expect(
      shapes, says: "GeneralAttention: expected queries [B, Tq, 6] and keys [B, Tk, 5], got [2, 4, 6] and [2, 3, 6]")
    let after = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 3, 4])
      _ = MonotonicAttention(DotProductAttention()).decode(x, keys: x, after: [1])
    }
    try expect(after, says: "MonotonicAttention: expected 2 positions of the queries before, got 1")
  }
}
