import Safetensors

/// Whose names the parameters of layers go by in files.
public enum ParameterNaming: Sendable, CaseIterable {
  /// PyTorch's: `in_proj_weight`, `self_attn.out_proj.bias`, `norm1.weight`.
  case torch
  /// MLX's: `query_proj.weight`, `attention.out_proj.bias`, `ln1.weight`.
  case mlx
}

/// A parameter, or its gradient, with its name.
public struct NamedTensor: Sendable, Equatable {
  /// Such as `linear1.weight`.
  public var name: String
  /// The numbers.
  public var tensor: Tensor

  /// A tensor under a name.
  public init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// Tensors with names: the parameters of a layer, or their gradients, which list the same names in the same order.
public protocol NamedTensors: Sendable {
  /// All tensors, under the names that `naming` gives them, in a fixed order.
  func parameters(naming: ParameterNaming) -> [NamedTensor]
}

/// A layer whose parameters can be saved and loaded.
///
/// ```swift
/// try layer.save(to: "layer.safetensors")
/// var other = Linear(512, 512, seed: 1)
/// try other.load(from: SafetensorsFile(contentsOf: "layer.safetensors"))
/// ```
public protocol ParameterContainer: NamedTensors {
  /// Takes all parameters from the reader; either naming is understood. Called by ``load(from:prefix:)``.
  mutating func update(from reader: ParameterReader) throws(ParameterError)
}

extension NamedTensors {
  /// All tensors under PyTorch's names.
  public var parameters: [NamedTensor] { parameters(naming: .torch) }
}

extension ParameterContainer {
  /// Replaces the parameters by those of a file, whose floating-point types are converted to `Float`.
  ///
  /// The names below `prefix` must be this layer's, PyTorch's or MLX's, and none else.
  ///
  /// - Parameter prefix: What the names begin with, up to a dot: `encoder.layers.0` for `encoder.layers.0.norm1.weight`.
  /// - Throws: ``ParameterError`` that names the parameter; the layer is then as before.
  public mutating func load(from file: SafetensorsFile, prefix: String = "") throws(ParameterError) {
    try load(from: ParameterReader(file), prefix: prefix)
  }

  /// The same from tensors in memory; of equal names the last counts.
  public mutating func load(from tensors: [NamedTensor], prefix: String = "") throws(ParameterError) {
    try load(from: ParameterReader(tensors), prefix: prefix)
  }

  /// The layer with the parameters of a file.
  public func loading(from file: SafetensorsFile, prefix: String = "") throws(ParameterError) -> Self {
    var copy = self
    try copy.load(from: file, prefix: prefix)
    return copy
  }

  /// Writes the parameters as `F32` to a safetensors file, whole or not at all.
  public func save(
    to path: String, prefix: String = "", naming: ParameterNaming = .torch
  ) throws(SafetensorsError) {
    var writer = SafetensorsWriter(metadata: ["format": naming == .torch ? "pt" : "mlx"])
    for parameter in parameters(naming: naming) {
      try writer.add(
        prefix.isEmpty ? parameter.name : "\(prefix).\(parameter.name)", parameter.tensor.scalars,
        shape: parameter.tensor.shape)
    }
    try writer.write(to: path)
  }

  private mutating func load(from reader: ParameterReader, prefix: String) throws(ParameterError) {
    let scoped = prefix.isEmpty ? reader : reader.scoped(to: prefix)
    var copy = self
    try copy.update(from: scoped)
    try scoped.checkAllTaken()
    self = copy
  }
}

extension [NamedTensor] {
  /// The same tensors as parameters of a part called `scope`.
  package func scoped(to scope: String) -> [NamedTensor] { map { NamedTensor("\(scope).\($0.name)", $0.tensor) } }
}
