import Attention
import Testing

@Suite struct TransformerDropoutTests {
  @Test func keepsTheShareAndTheMean() {
    let (n, p) = (10_000, 0.3)
    let x = Tensor(repeating: 2, shape: [100, 100])
    let y = Dropout(p)(x, seed: 5)
    let kept = y.scalars.filter { $0 != 0 }
    #expect(kept.allSatisfy { $0 == 2 * Float(1 / (1 - p)) })
    // Six standard deviations of a binomial count.
    let deviation = (Double(n) * p * (1 - p)).squareRoot()
    #expect((Double(kept.count) - Double(n) * (1 - p)).magnitude < 6 * deviation)
  }

  @Test func followsTheSeed() {
    let x = Tensor.random([40, 40], seed: 1)
    let dropout = Dropout(0.5)
    #expect(dropout(x, seed: 1) == dropout(x, seed: 1))
    #expect(dropout(x, seed: 1) != dropout(x, seed: 2))
    #expect(dropout(x, seed: nil) == x)
    #expect(Dropout(0)(x, seed: 1) == x)
  }

  @Test func pullbackDropsTheSame() {
    let x = Tensor(repeating: 1, shape: [30, 30])
    let (value, pullback) = Dropout(0.5).valueWithPullback(x, seed: 7)
    #expect(pullback(x) == value)
    #expect(value.scalars.contains(0) && value.scalars.contains(2))
  }

  @Test func multiHeadAttentionDropsOnlyWithASeed() {
    let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, dropout: 0.5, seed: 1)
    let x = Tensor.random([1, 6, 8], seed: 1)
    let without = layer(x, keys: x, values: x)
    var certain = layer
    certain.dropout = 0
    #expect(without == certain(x, keys: x, values: x, dropoutSeed: 1))
    #expect(without != layer(x, keys: x, values: x, dropoutSeed: 1))
    #expect(layer(x, keys: x, values: x, dropoutSeed: 2) != layer(x, keys: x, values: x, dropoutSeed: 1))
  }
}
