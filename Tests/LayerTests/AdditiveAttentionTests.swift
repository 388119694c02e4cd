import Attention
import Testing

@Suite struct AdditiveAttentionTests {
  @Test func separateWeights() throws {
    let recorded = try AlignmentCase("additive")
    let gradients = try recorded.check(try bahdanau(recorded))
    try recorded.expect(gradients.queryWeight, is: "query_weight_gradient")
    try recorded.expect(gradients.keyWeight, is: "key_weight_gradient")
    try recorded.expect(gradients.bias, is: "bias_gradient")
    try recorded.expect(gradients.vector, is: "vector_gradient")
  }

  @Test func oneQuery() throws {
    let recorded = try AlignmentCase("additive_one_query")
    let gradients = try recorded.check(try bahdanau(recorded))
    try recorded.expect(gradients.queryWeight, is: "query_weight_gradient")
    try recorded.expect(gradients.keyWeight, is: "key_weight_gradient")
    try recorded.expect(gradients.bias, is: "bias_gradient")
    try recorded.expect(gradients.vector, is: "vector_gradient")
  }

  @Test func oneWeightForBoth() throws {
    let recorded = try AlignmentCase("additive_shared")
    let layer = AdditiveAttention(
      queryWeight: try recorded.input("query_weight"), keyWeight: nil, vector: try recorded.input("vector"))
    let gradients = try recorded.check(layer)
    try recorded.expect(gradients.queryWeight, is: "query_weight_gradient")
    try recorded.expect(gradients.vector, is: "vector_gradient")
    #expect(gradients.keyWeight == nil && gradients.bias == nil)
  }

  /// tanh(W [q; k]) is the layer whose Wq and Wk stand beside each other in W.
  @Test func concatenatedWeight() throws {
    let recorded = try AlignmentCase("concat")
    let layer = AdditiveAttention(
      concatenatedWeight: try recorded.input("weight"), queryDimensions: 6, vector: try recorded.input("vector"))
    _ = try recorded.check(layer)
  }

  @Test func paddingOfNotANumberLeavesParameterGradientsAlone() throws {
    let recorded = try AlignmentCase("additive")
    let layer = try bahdanau(recorded)
    let (queries, keys, lengths) = (
      try recorded.input("queries"), try recorded.input("keys"), try recorded.integers("lengths")
    )
    var poisoned = keys
    var count = 0
    for b in 0..<keys.shape[0] {
      for j in lengths[b]..<keys.shape[1] {
        poisoned[b, j, 0] = .nan
        count += 1
      }
    }
    try #require(count > 0)
    let values = try #require(try recorded.values())
    let gradient = try recorded.input("context_gradient")
    let clean = layer.valueWithPullback(queries, keys: keys, values: values, mask: .keyLengths(lengths))
    let dirty = layer.valueWithPullback(queries, keys: poisoned, values: values, mask: .keyLengths(lengths))
    #expect(clean.value == dirty.value)
    #expect(clean.pullback(gradient).parameters == dirty.pullback(gradient).parameters)
  }

  @Test func seedsNameParameters() {
    let layer = AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 1)
    #expect(layer.queryWeight.shape == [5, 4] && layer.keyWeight?.shape == [5, 3])
    #expect(layer.bias?.shape == [5] && layer.vector.shape == [5])
    #expect(layer.queryWeight.scalars.allSatisfy { $0.magnitude <= 0.5 })
    let again = AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 1)
    #expect(again.queryWeight == layer.queryWeight && again.keyWeight == layer.keyWeight)
    let other = AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 2)
    #expect(other.queryWeight != layer.queryWeight && other.vector != layer.vector)
    #expect(AdditiveAttention(dimensions: 4, bias: false, seed: 1).bias == nil)
  }

  private func bahdanau(_ recorded: AlignmentCase) throws -> AdditiveAttention {
    AdditiveAttention(
      queryWeight: try recorded.input("query_weight"), keyWeight: try recorded.input("key_weight"),
      bias: try recorded.input("bias"), vector: try recorded.input("vector"))
  }
}
