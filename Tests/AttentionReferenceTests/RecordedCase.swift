import AttentionReference
import Foundation
import Safetensors
import Testing

/// One case of what Fixtures/make_pytorch_fixtures.py recorded: tensors named CASE/NAME.
struct RecordedCase {
  var problem: Problem
  let output, logSumExp, weights, scores: [Double]
  let outputGradient: [Double]
  let gradients: Gradients

  init(named name: String) throws {
    let file = try Self.fixtures()
    func tensor(_ tensor: String) throws -> SafetensorsTensor { try file.tensor(named: "\(name)/\(tensor)") }
    func option(_ option: String) throws -> SafetensorsTensor? {
      file.contains("\(name)/\(option)") ? try tensor(option) : nil
    }
    func numbers(_ name: String) throws -> [Double] { try tensor(name).scalars(as: Double.self) }

    let (query, key, value) = (try tensor("query"), try tensor("key"), try tensor("value"))
    try #require(query.type == .f64 && query.shape.count == 4 && key.shape.count == 4 && value.shape.count == 4)
    let shape = ReferenceShape(
      batch: query.shape[0], queryHeads: query.shape[1], keyHeads: key.shape[1], queryLength: query.shape[2],
      keyLength: key.shape[2], headDimension: query.shape[3], valueDimension: value.shape[3])
    problem = Problem(shape, seed: 0)
    problem.queries = try numbers("query")
    problem.keys = try numbers("key")
    problem.values = try numbers("value")
    problem.options = ReferenceOptions(
      scale: try option("scale")?.scalars(as: Double.self)[0],
      softcap: try option("softcap")?.scalars(as: Double.self)[0] ?? 0,
      causal: try option("causal")?.scalars(as: Double.self)[0] == 1,
      queryOffsets: try option("query_offsets")?.integers() ?? [],
      windowLeft: try option("window_left")?.integers()[0],
      windowRight: try option("window_right")?.integers()[0],
      keyLengths: try option("key_lengths")?.integers(),
      mask: try option("mask").map {
        ReferenceBroadcast(elements: $0.scalars(as: Double.self).map { $0 == 1 }, shape: $0.shape)
      },
      bias: try option("bias").map { ReferenceBroadcast(elements: $0.scalars(as: Double.self), shape: $0.shape) },
      alibiSlopes: try option("alibi_slopes")?.scalars(as: Double.self),
      sinks: try option("sinks")?.scalars(as: Double.self))
    output = try numbers("output")
    logSumExp = try numbers("lse")
    weights = try numbers("weights")
    scores = try numbers("scores")

    let gradientFile = try Self.fixtures(named: "pytorch-gradients")
    func gradient(_ input: String) throws -> [Double] {
      try gradientFile.tensor(named: "\(name)/\(input)_gradient").scalars(as: Double.self)
    }
    outputGradient = try gradient("output")
    gradients = Gradients(
      queries: try gradient("query"), keys: try gradient("key"), values: try gradient("value"),
      bias: problem.options.bias == nil ? nil : try gradient("bias"),
      sinks: problem.options.sinks == nil ? nil : try gradient("sinks"))
  }

  /// One of the files.
  static func fixtures(named name: String = "pytorch") throws -> SafetensorsFile {
    let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures")
    return try SafetensorsFile(contentsOf: try #require(path))
  }
}
