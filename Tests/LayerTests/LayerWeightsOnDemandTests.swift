import Attention
import Testing

/// Weights of chosen rows are those rows of all weights, to the bit, whatever the layer and the mask.
@Suite struct LayerWeightsOnDemandTests {
  private static let masks: [AttentionMask] = [
    .none, .keyLengths([19, 8]), .causal(queryOffset: 3), .window(left: 2, right: 5) & .aligned(queryOffsets: [1, 9]),
    .boolean((0..<2 * 5 * 19).map { $0 % 3 != 0 }, shape: [2, 1, 5, 19]),
  ]

  @Test(arguments: AlignmentRow.all, masks) func chosenRows(row: AlignmentRow, mask: AttentionMask) {
    var numbers = AlignmentNumbers(seed: 31)
    let queries = numbers.tensor([2, 5, row.queryDimensions])
    let keys = numbers.tensor([2, 19, row.keyDimensions])
    let weights = row.layer.weightsOnDemand(queries, keys: keys, mask: mask)
    let all = weights.matrix()
    #expect(all.shape == [2, weights.heads, 5, 19])
    let rows = [4, 0, 1]
    let chosen = weights.matrix(rows: rows)
    for b in 0..<2 {
      for h in 0..<weights.heads {
        for (r, position) in rows.enumerated() {
          for key in 0..<19 { #expect(chosen[b, h, r, key] == all[b, h, position, key]) }
        }
      }
    }
    let best = weights.largest(1, rows: rows)
    for (line, key) in best.keys.enumerated() {
      let weights = (0..<19).map { chosen.scalars[line * 19 + $0] }
      #expect(key == (weights.max() == 0 ? nil : weights.firstIndex(of: weights.max()!)))
    }
    let sums = weights.columnSums(rows: rows)
    for b in 0..<2 {
      for h in 0..<weights.heads {
        for key in 0..<19 {
          let sum = (0..<3).reduce(0.0) { $0 + Double(chosen[b, h, $1, key]) }
          #expect((Double(sums[b, h, key]) - sum).magnitude <= 0x1.1p-24 * sum)
        }
      }
    }
  }

  /// Keys of the layer's own come last, as in its weights.
  @Test func keysOfTheLayer() {
    var numbers = AlignmentNumbers(seed: 32)
    let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, addBiasKV: true, addZeroAttention: true, seed: 1)
    let x = numbers.tensor([2, 5, 8])
    let weights = layer.weightsOnDemand(x, keys: x)
    let all = layer.weights(x, keys: x, averaged: false)
    #expect(weights.matrix() == all && weights.keyLength == 7)
    let best = weights.largest(7)
    for (line, key) in best.keys.enumerated() {
      #expect(best.weights.scalars[line] == all.scalars[line / 7 * 7 + key!])
    }
    let sums = weights.columnSums(heads: [1])
    for key in 0..<7 {
      let sum = (0..<5).reduce(0.0) { $0 + Double(all[1, 1, $1, key]) }
      #expect((Double(sums[1, 0, key]) - sum).magnitude <= 0x1.1p-24 * sum)
    }
  }

  @Test(arguments: [false, true]) func transformerLayers(normFirst: Bool) {
    var numbers = AlignmentNumbers(seed: 33)
    let (x, memory) = (numbers.tensor([2, 5, 8]), numbers.tensor([2, 6, 8]))
    let encoder = TransformerEncoderLayer(dimensions: 8, numHeads: 2, normFirst: normFirst, seed: 1)
    #expect(
      encoder.weightsOnDemand(x, mask: .causal).matrix(rows: [3], averaged: true).scalars[5..<10]
        == encoder.weights(x, mask: .causal).scalars[40..<45])
    let decoder = TransformerDecoderLayer(dimensions: 8, numHeads: 2, normFirst: normFirst, seed: 1)
    let weights = decoder.weightsOnDemand(x, memory: memory)
    #expect(
      weights.selfAttention.matrix(rows: [0]).scalars == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    #expect(weights.crossAttention.matrix().shape == [2, 2, 5, 6])
  }
}
