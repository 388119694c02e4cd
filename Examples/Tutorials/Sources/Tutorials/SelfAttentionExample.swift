import Attention
import AttentionPictures

/// softmax(Q·Kᵀ ÷ √d)·V of a sentence over itself, with Q, K and V the word vectors themselves: words attend to those
/// that they resemble, so the two "the" share their weights. `SelfAttention` puts trained projections before it.
func selfAttention(of words: [String], dimensions: Int) -> (output: Tensor, weights: Tensor) {
  let vocabulary = Array(Set(words)).sorted()
  let embedding = Embedding(embeddingCount: vocabulary.count, dimensions: dimensions, seed: 3)
  // [S, d] → one sequence, one head: [1, 1, S, d].
  let x = embedding(words.map { vocabulary.firstIndex(of: $0)! }).reshaped(to: [1, 1, words.count, dimensions])
  let output = scaledDotProductAttention(queries: x, keys: x, values: x)
  let weights = attentionWeights(queries: x, keys: x)
  return (output.reshaped(to: [words.count, dimensions]), weights.reshaped(to: [words.count, words.count]))
}

func selfAttentionExample() -> Example {
  let words = ["the", "cat", "sat", "on", "the", "mat"]
  let (output, weights) = selfAttention(of: words, dimensions: 8)
  let matrix = WeightMatrix(weights, queryLabels: words, keyLabels: words, title: "Self-attention")
  return Example(
    results: ["output \(output.shape)", "weights \(weights.shape)"],
    files: ["self.svg": matrix.svgHeatMap()], picture: matrix.terminalHeatMap(style: .standardOutput))
}
