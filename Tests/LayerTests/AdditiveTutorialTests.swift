import Attention
import Foundation
import Testing

/// The worked examples that tutorials on attention begin with.
@Suite struct AdditiveTutorialTests {
  /// A decoder's state [2, 10] over an encoder's five states [2, 5, 10].
  @Test func oneQueryOverFiveKeys() throws {
    var numbers = AlignmentNumbers(seed: 1)
    let (query, keys) = (numbers.tensor([2, 10]), numbers.tensor([2, 5, 10]))
    let layer = AdditiveAttention(dimensions: 10, seed: 0)
    let (context, weights) = layer.attend(query, keys: keys)
    #expect(context.shape == [2, 10] && weights.shape == [2, 5])
    for sum in weights.rowSums() { #expect((sum - 1).magnitude < 5 * 0x1p-23) }
    for b in 0..<2 {
      for d in 0..<10 {
        let mixed = (0..<5).reduce(Float(0)) { $0 + weights[b, $1] * keys[b, $1, d] }
        #expect((context[b, d] - mixed).magnitude < 10 * 0x1p-23)
      }
    }
  }

  /// 我 爱 中国, with 爱 as the query: in an embedding where 爱 is near 中国 and far from 我, by a layer whose score
  /// grows with what query and key have in common, most of the weight falls on 爱 itself, then on 中国.
  @Test func aSentenceOfThreeWords() throws {
    let words = ["我", "爱", "中国"]
    let embeddings = Tensor([-1, 0.5, 1, 0.25, 0.75, 0.5], shape: [1, 3, 2])
    let query = Tensor([1, 0.25], shape: [1, 2])
    let layer = AdditiveAttention(
      queryWeight: Tensor([1, 0, 0, 1], shape: [2, 2]), keyWeight: nil, vector: Tensor([2, -0.5], shape: [2]))
    let (context, weights) = layer.attend(query, keys: embeddings)
    #expect(context.shape == [1, 2] && weights.shape == [1, words.count])
    let ranked = words.indices.sorted { weights[0, $0] > weights[0, $1] }.map { words[$0] }
    #expect(ranked == ["爱", "中国", "我"])
    // By hand: scores 2·tanh(1 + k₀) − tanh(¼ + k₁)/2 of 我, 爱 and 中国.
    let vectors: [(Double, Double)] = [(-1, 0.5), (1, 0.25), (0.75, 0.5)]
    let scores: [Double] = vectors.map { first, second in 2 * tanh(1 + first) - tanh(0.25 + second) / 2 }
    let sum = scores.reduce(0) { $0 + exp($1) }
    for (j, score) in scores.enumerated() {
      #expect((Double(weights[0, j]) - exp(score) / sum).magnitude < 32 * 0x1p-24)
    }
  }

  /// A decoder of three steps over an encoder of six states, of different sizes.
  @Test func decoderOverEncoder() throws {
    var numbers = AlignmentNumbers(seed: 2)
    let (decoder, encoder) = (numbers.tensor([2, 3, 8]), numbers.tensor([2, 6, 12]))
    let layer = AdditiveAttention(dimensions: 8, keyDimensions: 12, hiddenDimensions: 16, seed: 0)
    let (context, weights) = layer.attend(decoder, keys: encoder, mask: .keyLengths([6, 4]))
    #expect(context.shape == [2, 3, 12] && weights.shape == [2, 3, 6])
    for i in 0..<3 { #expect(weights[1, i, 4] == 0 && weights[1, i, 5] == 0 && weights[1, i, 3] > 0) }
    // Each step is the same as it is alone.
    for i in 0..<3 {
      let step = Tensor((0..<2).flatMap { b in (0..<8).map { decoder[b, i, $0] } }, shape: [2, 8])
      let alone = layer.attend(step, keys: encoder, mask: .keyLengths([6, 4]))
      for b in 0..<2 {
        #expect((0..<12).allSatisfy { alone.context[b, $0] == context[b, i, $0] })
        #expect((0..<6).allSatisfy { alone.weights[b, $0] == weights[b, i, $0] })
      }
    }
  }
}
