import Attention
import AttentionPictures

/// A decoder's state [2, 10] asks five encoder states [2, 5, 10] which of them matter now, by the score
/// v · tanh(Wq q + Wk k + b) of Bahdanau et al. 2015. The parameters are drawn, not trained.
func additiveAttention() -> (context: Tensor, weights: Tensor) {
  let layer = AdditiveAttention(dimensions: 10, seed: 7)
  // Rows of an embedding are normally distributed numbers.
  let query = Embedding(embeddingCount: 2, dimensions: 10, seed: 1).weight
  let keys = Embedding(embeddingCount: 10, dimensions: 10, seed: 2).weight.reshaped(to: [2, 5, 10])
  return layer.attend(query, keys: keys)
}

func additiveExample() -> Example {
  let (context, weights) = additiveAttention()
  let matrix = WeightMatrix(
    weights, queryLabels: ["sequence 0", "sequence 1"], keyLabels: (0..<5).map { "state \($0)" },
    title: "Additive attention")
  return Example(
    results: ["context \(context.shape)", "weights \(weights.shape)"],
    files: ["additive-0.svg": matrix.svgBars(query: 0), "additive-1.svg": matrix.svgBars(query: 1)],
    picture: (0..<2).map { matrix.terminalBars(query: $0, style: .standardOutput) }.joined(separator: "\n"))
}
