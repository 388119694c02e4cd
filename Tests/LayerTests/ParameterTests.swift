import Attention
import Foundation
import Safetensors
import Testing

/// Saving and loading under both namings, and what is wrong with foreign files.
@Suite struct ParameterTests {
  private func withFile(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory
    let path = directory.appending(path: "parameters-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func expectRoundTrip<Layer: ParameterContainer & Equatable>(
    _ layer: Layer, _ other: Layer, torch: Set<String>, mlx: Set<String>
  ) throws {
    #expect(layer != other)
    for (naming, names) in [(ParameterNaming.torch, torch), (.mlx, mlx)] {
      try withFile { path in
        try layer.save(to: path, prefix: "model.layer.3", naming: naming)
        let file = try SafetensorsFile(contentsOf: path)
        #expect(Set(file.names) == Set(names.map { "model.layer.3.\($0)" }))
        #expect(try other.loading(from: file, prefix: "model.layer.3") == layer)
      }
      var loaded = other
      try loaded.load(from: layer.parameters(naming: naming))
      #expect(loaded == layer)
    }
  }

  @Test func heads() throws {
    let projections = ["query_proj", "key_proj", "value_proj", "out_proj"]
    try expectRoundTrip(
      MultiHeadAttention(dimensions: 8, numHeads: 2, addBiasKV: true, seed: 1),
      MultiHeadAttention(dimensions: 8, numHeads: 2, addBiasKV: true, seed: 2),
      torch: ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"],
      mlx: Set(projections.flatMap { ["\($0).weight", "\($0).bias"] } + ["bias_k", "bias_v"]))
    try expectRoundTrip(
      MultiHeadAttention(dimensions: 8, numHeads: 2, keyDimensions: 6, bias: false, seed: 1),
      MultiHeadAttention(dimensions: 8, numHeads: 2, keyDimensions: 6, bias: false, seed: 2),
      torch: ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"],
      mlx: Set(projections.map { "\($0).weight" }))
    try expectRoundTrip(
      MultiHeadAttention(dimensions: 8, numHeads: 4, numKeyHeads: 2, seed: 1),
      MultiHeadAttention(dimensions: 8, numHeads: 4, numKeyHeads: 2, seed: 2),
      torch: ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"],
      mlx: Set(projections.flatMap { ["\($0).weight", "\($0).bias"] }))
  }

  @Test func transformerLayers() throws {
    let affine = ["weight", "bias"]
    let torchHeads = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    let mlxHeads = ["query_proj", "key_proj", "value_proj", "out_proj"].flatMap { ["\($0).weight", "\($0).bias"] }
    func names(_ parts: [String], _ heads: [String], _ ownNames: [String]) -> Set<String> {
      let ofHeads = parts.flatMap { part in heads.map { "\(part).\($0)" } }
      return Set(ofHeads + ownNames.flatMap { name in affine.map { "\(name).\($0)" } })
    }
    try expectRoundTrip(
      TransformerEncoderLayer(dimensions: 8, numHeads: 2, seed: 1),
      TransformerEncoderLayer(dimensions: 8, numHeads: 2, seed: 2),
      torch: names(["self_attn"], torchHeads, ["linear1", "linear2", "norm1", "norm2"]),
      mlx: names(["attention"], mlxHeads, ["linear1", "linear2", "ln1", "ln2"]))
    try expectRoundTrip(
      TransformerDecoderLayer(dimensions: 8, numHeads: 2, seed: 1),
      TransformerDecoderLayer(dimensions: 8, numHeads: 2, seed: 2),
      torch: names(["self_attn", "multihead_attn"], torchHeads, ["linear1", "linear2", "norm1", "norm2", "norm3"]),
      mlx: names(["self_attention", "cross_attention"], mlxHeads, ["linear1", "linear2", "ln1", "ln2", "ln3"]))
  }

  @Test func singleParts() throws {
    try expectRoundTrip(
      Linear(3, 4, seed: 1), Linear(3, 4, seed: 2), torch: ["weight", "bias"], mlx: ["weight", "bias"])
    try expectRoundTrip(
      Embedding(embeddingCount: 5, dimensions: 4, seed: 1), Embedding(embeddingCount: 5, dimensions: 4, seed: 2),
      torch: ["weight"], mlx: ["weight"])
    let three: Set = ["query_proj.weight", "key_proj.weight", "value_proj.weight"]
    try expectRoundTrip(
      SelfAttention(dimensions: 4, seed: 1), SelfAttention(dimensions: 4, seed: 2), torch: three, mlx: three)
    var norm = LayerNorm(4)
    norm.bias = Tensor([1, 2, 3, 4], shape: [4])
    try expectRoundTrip(norm, LayerNorm(4), torch: ["weight", "bias"], mlx: ["weight", "bias"])
  }

  /// PyTorch's packed weight and MLX's three are the same numbers.
  @Test func bothNamingsLoadTheSame() throws {
    let recorded = try TransformerCase("heads")
    let layer = try recorded.loaded(MultiHeadAttention(dimensions: 8, numHeads: 2, seed: 1))
    let packed = try recorded.tensor("parameters.in_proj_weight").scalars
    let rows = layer.parameters(naming: .mlx)
    let names = ["query_proj.weight", "key_proj.weight", "value_proj.weight"]
    #expect(names.flatMap { name in rows.first { $0.name == name }!.tensor.scalars } == packed)
  }

  @Test func typesAreConverted() throws {
    try withFile { path in
      var writer = SafetensorsWriter()
      try writer.add("weight", [1.5, 2.5, -0.25, 8] as [Double], shape: [2, 2])
      try writer.add("bias", type: .bf16, shape: [2], bytes: [0x80, 0x3F, 0x00, 0xC0])
      try writer.write(to: path)
      let layer = try Linear(2, 2, seed: 1).loading(from: SafetensorsFile(contentsOf: path))
      #expect(layer.weight == Tensor([1.5, 2.5, -0.25, 8], shape: [2, 2]))
      #expect(layer.bias == Tensor([1, -2], shape: [2]))
    }
  }

  static let damages: [(name: String, shape: [Int]?, error: ParameterError, line: String)] = [
    (
      "in_proj_weight", nil, .missing(name: "p.in_proj_weight", alternatives: ["p.query_proj.weight"]),
      "parameter 'p.in_proj_weight' is missing, so is 'p.query_proj.weight'"
    ),
    (
      "out_proj.bias", nil, .missing(name: "p.out_proj.bias", alternatives: []),
      "parameter 'p.out_proj.bias' is missing"
    ),
    (
      "in_proj_weight", [12, 8], .wrongShape(name: "p.in_proj_weight", expected: [24, 8], actual: [12, 8]),
      "parameter 'p.in_proj_weight': expected shape [24, 8], found [12, 8]"
    ),
    (
      "in_proj_bias", [24, 1], .wrongShape(name: "p.in_proj_bias", expected: [24], actual: [24, 1]),
      "parameter 'p.in_proj_bias': expected shape [24], found [24, 1]"
    ),
    ("surplus", [2], .unexpected(name: "p.surplus"), "'p.surplus' is no parameter of the layer"),
    ("bias_k", [1, 1, 8], .unexpected(name: "p.bias_k"), "'p.bias_k' is no parameter of the layer"),
  ]

  @Test(arguments: damages.indices) func errors(index: Int) throws {
    let damage = Self.damages[index]
    let layer = MultiHeadAttention(dimensions: 8, numHeads: 2, seed: 1)
    var tensors = layer.parameters.filter { $0.name != damage.name }.map { NamedTensor("p.\($0.name)", $0.tensor) }
    if let shape = damage.shape {
      tensors.append(NamedTensor("p.\(damage.name)", Tensor(repeating: 0, shape: shape)))
    }
    try withFile { path in
      var writer = SafetensorsWriter()
      for tensor in tensors { try writer.add(tensor.name, tensor.tensor.scalars, shape: tensor.tensor.shape) }
      // Names beyond the prefix are another layer's.
      try writer.add("pq.weight", [1] as [Float], shape: [1])
      try writer.write(to: path)
      let file = try SafetensorsFile(contentsOf: path)
      let original = MultiHeadAttention(dimensions: 8, numHeads: 2, seed: 2)
      var other = original
      #expect(throws: damage.error) { try other.load(from: file, prefix: "p") }
      #expect(throws: damage.error) { try other.load(from: tensors, prefix: "p") }
      #expect(other == original)
      #expect(damage.error.description == damage.line)
    }
  }

  @Test func integersAreNoParameters() throws {
    try withFile { path in
      var writer = SafetensorsWriter()
      try writer.add("weight", [1, 2, 3, 4] as [Int64], shape: [2, 2])
      try writer.write(to: path)
      let file = try SafetensorsFile(contentsOf: path)
      let error = ParameterError.wrongType(name: "weight", actual: .i64)
      #expect(throws: error) { try Linear(2, 2, bias: false, seed: 1).loading(from: file) }
      #expect(error.description == "parameter 'weight': expected floating-point numbers, found I64")
    }
  }

  @Test func layerWithoutBiasRefusesOne() throws {
    let parameters = Linear(2, 2, seed: 1).parameters
    var plain = Linear(2, 2, bias: false, seed: 1)
    #expect(throws: ParameterError.unexpected(name: "bias")) { try plain.load(from: parameters) }
  }
}
