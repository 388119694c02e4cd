import Attention
import Foundation
import SentenceEmbedding
import Testing

/// Each error names the file and what is wrong in it.
@Suite("Damaged and foreign models")
struct BadModelTests {
  private func expectError(
    _ model: ModelCopy, _ file: String, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: ModelError.self, sourceLocation: sourceLocation) {
      try SentenceEmbedder(contentsOf: model.path)
    }
    guard let error else { return }
    #expect(error.path == model.file(file), "\(error)", sourceLocation: sourceLocation)
    #expect(!error.description.contains("\n"), "\(error)", sourceLocation: sourceLocation)
    for word in words { #expect(error.message.contains(word), "\(error)", sourceLocation: sourceLocation) }
  }

  @Test("a file is missing", arguments: ["config.json", "vocab.txt", "model.safetensors"])
  func missing(file: String) throws {
    let model = try ModelCopy()
    try model.remove(file)
    expectError(model, file, naming: [file == "model.safetensors" ? "open" : "no such file"])
  }

  @Test("the optional files may be missing")
  func optional() throws {
    let model = try ModelCopy()
    let texts = ["The cat sat.", "éÉ"]
    let expected = try SentenceEmbedder(contentsOf: model.path)(texts)
    for file in ["tokenizer_config.json", "sentence_bert_config.json", "1_Pooling"] { try model.remove(file) }
    let embedder = try SentenceEmbedder(contentsOf: model.path)
    #expect(embedder.maximumLength == 30)
    #expect(try embedder(texts) == expected)
  }

  @Test(
    "a wrong configuration",
    arguments: [
      (#""hidden_size": 32"#, #""hidden_size": 31"#, ["hidden_size", "31", "multiple"]),
      (#""hidden_size": 32"#, #""hidden_size": "32""#, ["hidden_size", "Int"]),
      (#""hidden_size": 32,"#, "", ["hidden_size", "missing"]),
      (#""num_hidden_layers": 2"#, #""num_hidden_layers": 0"#, ["num_hidden_layers", "positive"]),
      (#""hidden_act": "gelu""#, #""hidden_act": "swish""#, ["hidden_act", "swish"]),
      (#""model_type": "bert""#, #""model_type": "mpnet""#, ["model_type", "mpnet"]),
      (#""layer_norm_eps": 0.01"#, #""layer_norm_eps": -1"#, ["layer_norm_eps", "-1"]),
      ("{", "", ["JSON"]),
    ])
  func configuration(old: String, new: String, words: [String]) throws {
    let model = try ModelCopy()
    try model.replace(old, by: new, in: "config.json")
    expectError(model, "config.json", naming: words)
  }

  @Test(
    "a configuration of other weights",
    arguments: [
      (#""hidden_size": 32"#, #""hidden_size": 64"#, ["word_embeddings", "[190, 64]", "[190, 32]"]),
      (#""intermediate_size": 48"#, #""intermediate_size": 2000000000"#, ["layer.0.intermediate", "[48, 32]"]),
      (#""num_hidden_layers": 2"#, #""num_hidden_layers": 3"#, ["encoder.layer.2.attention.self.query.weight"]),
      (#""num_hidden_layers": 2"#, #""num_hidden_layers": 1"#, ["encoder.layer.1.", "no parameter"]),
      (#""vocab_size": 190"#, #""vocab_size": 191"#, ["word_embeddings", "[191, 32]"]),
    ])
  func otherWeights(old: String, new: String, words: [String]) throws {
    let model = try ModelCopy()
    try model.replace(old, by: new, in: "config.json")
    expectError(model, "model.safetensors", naming: words)
  }

  @Test("a tensor is missing, of another shape, or unknown")
  func tensors() throws {
    let name = "encoder.layer.1.attention.output.LayerNorm.bias"
    var model = try ModelCopy()
    try model.rewriteWeights { $0 == name ? nil : ($0, $1) }
    expectError(model, "model.safetensors", naming: [name, "missing"])
    model = try ModelCopy()
    try model.rewriteWeights { $0 == name ? ($0, $1.reshaped(to: [1, 32])) : ($0, $1) }
    expectError(model, "model.safetensors", naming: [name, "[32]", "[1, 32]"])
    model = try ModelCopy()
    try model.rewriteWeights(adding: [("encoder.relative_attention_bias.weight", [4, 4])])
    expectError(model, "model.safetensors", naming: ["encoder.relative_attention_bias.weight"])
  }

  @Test("a damaged safetensors file")
  func damaged() throws {
    let model = try ModelCopy()
    let url = URL(fileURLWithPath: model.file("model.safetensors"))
    let bytes = try Data(contentsOf: url)
    try bytes.dropLast(100).write(to: url)
    expectError(model, "model.safetensors", naming: ["data"])
  }

  @Test("weights that are not finite")
  func notFinite() throws {
    let model = try ModelCopy()
    try model.rewriteWeights { name, tensor in
      (name, name == "embeddings.LayerNorm.bias" ? Tensor(repeating: .nan, shape: tensor.shape) : tensor)
    }
    let embedder = try SentenceEmbedder(contentsOf: model.path)
    #expect(throws: ModelError.self) { try embedder(["the cat"]) }
  }

  @Test("a vocabulary without marks, or of another model")
  func vocabulary() throws {
    let model = try ModelCopy()
    try model.store("[CLS]\n[UNK]\nthe\n", as: "vocab.txt")
    expectError(model, "vocab.txt", naming: ["[SEP]"])
    try model.store("[CLS]\n[SEP]\n[UNK]\n" + (0..<200).map { "w\($0)\n" }.joined(), as: "vocab.txt")
    expectError(model, "vocab.txt", naming: ["190", "203"])
  }

  @Test("a model that does not take the mean, or of no length")
  func pooling() throws {
    let model = try ModelCopy()
    try model.store(
      #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, as: "1_Pooling/config.json")
    expectError(model, "1_Pooling/config.json", naming: ["mean"])
    try model.remove("1_Pooling")
    try model.store(#"{"max_seq_length": 1}"#, as: "sentence_bert_config.json")
    expectError(model, "sentence_bert_config.json", naming: ["max_seq_length", "1"])
  }
}
