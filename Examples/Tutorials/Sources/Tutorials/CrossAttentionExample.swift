import Attention
import AttentionPictures

/// A decoder's states [1, 4, 16] attend to an encoder's [1, 6, 16] with four heads, as in Vaswani et al. 2017. The last
/// encoder state is padding: with its length given as 5, its weight is 0 in every head. Drawn parameters, not trained.
func crossAttention() -> (output: Tensor, weights: Tensor) {
  let layer = MultiHeadAttention(dimensions: 16, numHeads: 4, seed: 5)
  let decoder = Embedding(embeddingCount: 4, dimensions: 16, seed: 6).weight.reshaped(to: [1, 4, 16])
  let encoder = Embedding(embeddingCount: 6, dimensions: 16, seed: 7).weight.reshaped(to: [1, 6, 16])
  let mask = AttentionMask.keyLengths([5])
  return (
    layer(decoder, keys: encoder, values: encoder, mask: mask),
    layer.weights(decoder, keys: encoder, mask: mask, averaged: false)
  )
}

func crossAttentionExample() -> Example {
  let (output, weights) = crossAttention()
  let heads = WeightStack(
    layers: [.init("0", weights: weights.reshaped(to: [4, 4, 6]))], queryLabels: ["I", "love", "China", "."],
    keyLabels: ["我", "爱", "中国", "。", "<eos>", "<pad>"], title: "Cross-attention")
  var mean = heads.mean(layer: 0)
  mean.title = "Cross-attention, mean of 4 heads"
  return Example(
    results: ["output \(output.shape)", "weights \(weights.shape)"],
    files: ["cross.svg": mean.svgHeatMap(), "cross.html": heads.htmlPage()],
    picture: mean.terminalHeatMap(style: .standardOutput))
}
