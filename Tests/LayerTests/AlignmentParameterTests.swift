import Attention
import Foundation
import Safetensors
import Testing

/// The alignment layers' parameters in files. A layer is a row of `rows`.
@Suite struct AlignmentParameterTests {
  /// A layer with parameters, one of the same form with others, and its names with their shapes.
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let torch, mlx: [String: [Int]]
    fileprivate let check: @Sendable (Row) throws -> Void

    init<Layer: ParameterContainer & Equatable>(
      _ name: String, _ layer: @escaping @Sendable (_ seed: UInt64) -> Layer, torch: [String: [Int]],
      mlx: [String: [Int]]
    ) {
      self.name = name
      self.torch = torch
      self.mlx = mlx
      check = {
        try $0.roundTrips(layer(1), layer(2)); try $0.refusesDamage(layer(1), layer(2))
      }
    }

    var testDescription: String { name }
  }

  private static let additive: [String: [Int]] = ["W_q.weight": [5, 4], "W_k.weight": [5, 3], "w_v.weight": [1, 5]]
  private static let mlxAdditive: [String: [Int]] = [
    "query_proj.weight": [5, 4], "key_proj.weight": [5, 3], "score_proj.weight": [1, 5],
  ]

  static let rows: [Row] = [
    Row(
      "additive", { AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: $0) },
      torch: additive.merging(["W_q.bias": [5]]) { $1 }, mlx: mlxAdditive.merging(["query_proj.bias": [5]]) { $1 }),
    Row(
      "additive without bias",
      { AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, bias: false, seed: $0) },
      torch: additive, mlx: mlxAdditive),
    Row(
      "additive, one weight",
      { AdditiveAttention(dimensions: 4, hiddenDimensions: 5, sharesWeight: true, bias: false, seed: $0) },
      torch: ["W_q.weight": [5, 4], "w_v.weight": [1, 5]],
      mlx: ["query_proj.weight": [5, 4], "score_proj.weight": [1, 5]]),
    Row(
      "general", { GeneralAttention(dimensions: 4, keyDimensions: 3, seed: $0) }, torch: ["attn.weight": [4, 3]],
      mlx: ["key_proj.weight": [4, 3]]),
    Row(
      "concat", { ConcatAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: $0) },
      torch: ["attn.weight": [5, 7], "v": [5]], mlx: ["joined_proj.weight": [5, 7], "score_proj.weight": [1, 5]]),
    Row(
      "cosine", { CosineAttention(temperature: Float($0) / 3) }, torch: ["temperature": []],
      mlx: ["temperature": []]),
    Row(
      "local", { LocalAttention(GeneralAttention(dimensions: 4, keyDimensions: 3, seed: $0), window: 2) },
      torch: ["attn.weight": [4, 3]], mlx: ["key_proj.weight": [4, 3]]),
    Row(
      "hard", { HardAttention(GeneralAttention(dimensions: 4, keyDimensions: 3, seed: $0)) },
      torch: ["attn.weight": [4, 3]], mlx: ["key_proj.weight": [4, 3]]),
    Row(
      "predictive local",
      {
        PredictiveLocalAttention(
          GeneralAttention(dimensions: 4, keyDimensions: 3, seed: $0), dimensions: 4, hiddenDimensions: 5, window: 2,
          seed: $0)
      }, torch: ["W_p.weight": [5, 4], "v_p.weight": [1, 5], "score.attn.weight": [4, 3]],
      mlx: [
        "position_proj.weight": [5, 4], "position_score_proj.weight": [1, 5], "score.key_proj.weight": [4, 3],
      ]),
    Row(
      "monotonic",
      {
        MonotonicAttention(
          AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, bias: false, seed: $0),
          offset: Float($0))
      }, torch: Dictionary(uniqueKeysWithValues: additive.map { ("score.\($0)", $1) } + [("offset", [])]),
      mlx: Dictionary(uniqueKeysWithValues: mlxAdditive.map { ("score.\($0)", $1) } + [("offset", [])])),
    Row(
      "predictive local without parameters of its score",
      { PredictiveLocalAttention(DotProductAttention(), dimensions: 4, hiddenDimensions: 5, window: 2, seed: $0) },
      torch: ["W_p.weight": [5, 4], "v_p.weight": [1, 5]],
      mlx: ["position_proj.weight": [5, 4], "position_score_proj.weight": [1, 5]]),
  ]

  @Test(arguments: rows) func parameters(row: Row) throws { try row.check(row) }

  /// What has no parameters saves none, and takes none.
  @Test func layersWithoutParameters() throws {
    func check<Layer: ParameterContainer & Equatable>(_ layer: Layer) throws {
      try withParameterFile { path in
        try layer.save(to: path)
        let file = try SafetensorsFile(contentsOf: path)
        #expect(file.names.isEmpty)
        #expect(try layer.loading(from: file) == layer)
      }
      var copy = layer
      #expect(throws: ParameterError.unexpected(name: "weight")) {
        try copy.load(from: [NamedTensor("weight", Tensor([1], shape: [1]))])
      }
    }
    try check(DotProductAttention())
    try check(ScaledDotProductAttention(scale: 2))
    try check(HardAttention(LocalAttention(DotProductAttention(), window: 1)))
  }

  /// A soft layer's file serves the hard and the local one.
  @Test func wrappersReadTheFilesOfWhatTheyWrap() throws {
    let soft = AdditiveAttention(dimensions: 4, seed: 1)
    let hard = HardAttention(LocalAttention(AdditiveAttention(dimensions: 4, seed: 2), window: 3))
    try withParameterFile { path in
      try soft.save(to: path)
      #expect(try hard.loading(from: SafetensorsFile(contentsOf: path)).score.score == soft)
    }
  }

  /// A layer that shares its weight refuses a file with two, and the other way round.
  @Test func sharedAndSeparateWeightsDiffer() {
    let separate = AdditiveAttention(dimensions: 4, seed: 1)
    let shared = AdditiveAttention(dimensions: 4, sharesWeight: true, seed: 2)
    var layer = shared
    #expect(throws: ParameterError.unexpected(name: "W_k.weight")) { try layer.load(from: separate.parameters) }
    #expect(layer == shared)
    layer = separate
    #expect(throws: ParameterError.missing(name: "W_k.weight", alternatives: ["key_proj.weight"])) {
      try layer.load(from: shared.parameters)
    }
    #expect(layer == separate)
  }

  @Test(arguments: [0, .infinity, .nan] as [Float]) func temperatureOutOfRange(value: Float) throws {
    var layer = CosineAttention(temperature: 2)
    let error = #expect(throws: ParameterError.self) {
      try layer.load(from: [NamedTensor("a.temperature", Tensor([value], shape: []))], prefix: "a")
    }
    #expect(
      error?.description
        == "parameter 'a.temperature': expected a number that is finite and not 0, found \(value)")
    #expect(layer.temperature == 2)
  }

  /// Gradients list the parameters' names and shapes in their order, as an optimiser needs them.
  @Test func gradientsMirrorParameters() throws {
    func check<Layer: AlignmentLayer & ParameterContainer>(_ layer: Layer) where Layer.Gradients: NamedTensors {
      var numbers = AlignmentNumbers(seed: 3)
      let (queries, keys) = (numbers.tensor([2, 3, 4]), numbers.tensor([2, 6, 4]))
      let (value, pullback) = layer.valueWithPullback(queries, keys: keys, values: nil, mask: .none)
      let gradients = pullback(value).parameters
      for naming in ParameterNaming.allCases {
        let (own, theirs) = (layer.parameters(naming: naming), gradients.parameters(naming: naming))
        #expect(own.map(\.name) == theirs.map(\.name) && own.map(\.tensor.shape) == theirs.map(\.tensor.shape))
      }
    }
    check(AdditiveAttention(dimensions: 4, seed: 1))
    check(AdditiveAttention(dimensions: 4, sharesWeight: true, bias: false, seed: 1))
    check(GeneralAttention(dimensions: 4, seed: 1))
    check(ConcatAttention(dimensions: 4, seed: 1))
    check(CosineAttention(temperature: 2))
    check(DotProductAttention())
    check(ScaledDotProductAttention())
    check(HardAttention(GeneralAttention(dimensions: 4, seed: 1)))
    check(LocalAttention(ConcatAttention(dimensions: 4, seed: 1), window: 1))
    check(MonotonicAttention(GeneralAttention(dimensions: 4, seed: 1)))
    check(PredictiveLocalAttention(GeneralAttention(dimensions: 4, seed: 1), dimensions: 4, window: 1, seed: 2))
  }
}

extension AlignmentParameterTests.Row {
  /// The numbers come back to the bit under both namings, from a file and from memory.
  fileprivate func roundTrips<Layer: ParameterContainer & Equatable>(_ layer: Layer, _ other: Layer) throws {
    #expect(layer != other)
    for (naming, shapes) in [(ParameterNaming.torch, torch), (.mlx, mlx)] {
      let parameters = layer.parameters(naming: naming)
      #expect(Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.tensor.shape) }) == shapes)
      try withParameterFile { path in
        try layer.save(to: path, prefix: "decoder.attention", naming: naming)
        let file = try SafetensorsFile(contentsOf: path)
        #expect(Set(file.names) == Set(shapes.keys.map { "decoder.attention.\($0)" }))
        let loaded = try other.loading(from: file, prefix: "decoder.attention")
        #expect(loaded == layer)
        let bits = { (layer: Layer) in layer.parameters.map { $0.tensor.scalars.map(\.bitPattern) } }
        #expect(bits(loaded) == bits(layer))
      }
      var loaded = other
      try loaded.load(from: parameters)
      #expect(loaded == layer)
    }
  }

  /// Each parameter in turn missing, of another shape, or beside a name that is none: an error that says which.
  fileprivate func refusesDamage<Layer: ParameterContainer & Equatable>(_ layer: Layer, _ original: Layer) throws {
    for naming in ParameterNaming.allCases {
      let parameters = layer.parameters(naming: naming)
      for index in parameters.indices {
        let (name, shape) = (parameters[index].name, parameters[index].tensor.shape)
        var other = original
        var damaged = parameters
        damaged.remove(at: index)
        let missing = try #require(throws: ParameterError.self) { try other.load(from: damaged) }
        guard case .missing(let first, let others) = missing else {
          Issue.record("\(name): \(missing)")
          continue
        }
        #expect(([first] + others).contains(name) && missing.description.contains("'\(name)'"))

        damaged = parameters
        damaged[index].tensor = Tensor(repeating: 1, shape: [3] + shape)
        let wrong = ParameterError.wrongShape(name: name, expected: shape, actual: [3] + shape)
        #expect(throws: wrong) { try other.load(from: damaged) }
        #expect(other == original)
      }
      var other = original
      let foreign = parameters + [NamedTensor("in_proj_weight", Tensor(repeating: 0, shape: [3, 3]))]
      #expect(throws: ParameterError.unexpected(name: "in_proj_weight")) { try other.load(from: foreign) }
      try withParameterFile { path in
        try MultiHeadAttention(dimensions: 4, numHeads: 2, seed: 1).save(to: path, naming: naming)
        let file = try SafetensorsFile(contentsOf: path)
        #expect(throws: ParameterError.self) { try other.load(from: file) }
      }
      #expect(other == original)
    }
  }
}

/// Calls `body` with the path of a file that does not exist yet, and removes it afterwards.
func withParameterFile(_ body: (String) throws -> Void) throws {
  let directory = FileManager.default.temporaryDirectory
  let path = directory.appending(path: "parameters-\(UUID().uuidString).safetensors").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}
