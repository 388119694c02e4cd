import Attention
import AttentionPictures

/// 我 爱 中国 ("I love China") with 爱 as the query: in this embedding 爱 is near 中国 and far from 我, and the score,
/// 2·tanh(q₀ + k₀) − ½·tanh(q₁ + k₁), grows with the first coordinate that they share. Made by hand, not trained.
func sentenceAttention() -> (words: [String], context: Tensor, weights: Tensor) {
  let words = ["我", "爱", "中国"]
  let embeddings = Tensor([-1, 0.5, 1, 0.25, 0.75, 0.5], shape: [1, 3, 2])
  let query = Tensor([1, 0.25], shape: [1, 2])  // 爱
  let layer = AdditiveAttention(
    queryWeight: Tensor([1, 0, 0, 1], shape: [2, 2]), keyWeight: nil, vector: Tensor([2, -0.5], shape: [2]))
  let (context, weights) = layer.attend(query, keys: embeddings)
  return (words, context, weights)
}

func sentenceExample() -> Example {
  let (words, context, weights) = sentenceAttention()
  let matrix = WeightMatrix(weights, queryLabels: ["爱"], keyLabels: words, title: words.joined(separator: " "))
  return Example(
    results: ["context \(context.shape)", "weights \(weights.shape)"],
    files: ["sentence.svg": matrix.svgBars(query: 0)],
    picture: matrix.terminalBars(query: 0, style: .standardOutput))
}
