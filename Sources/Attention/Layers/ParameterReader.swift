import Safetensors

/// Hands parameters to a layer by name, checks their shapes, and remembers which were taken.
public struct ParameterReader {
  private final class Taken {
    var names: Set<String> = []
  }

  private enum Source {
    case file(SafetensorsFile)
    case memory([String: Tensor])
  }

  private let source: Source
  private let prefix: String
  private let taken: Taken

  init(_ file: SafetensorsFile) {
    source = .file(file)
    prefix = ""
    taken = Taken()
  }

  init(_ tensors: [NamedTensor]) {
    source = .memory(Dictionary(tensors.map { ($0.name, $0.tensor) }) { $1 })
    prefix = ""
    taken = Taken()
  }

  private init(_ parent: ParameterReader, prefix: String) {
    source = parent.source
    taken = parent.taken
    self.prefix = prefix
  }

  /// A reader of the names that begin with `scope` and a dot.
  public func scoped(to scope: String) -> ParameterReader { ParameterReader(self, prefix: "\(prefix)\(scope).") }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool {
    switch source {
    case .file(let file): file.contains(prefix + name)
    case .memory(let tensors): tensors[prefix + name] != nil
    }
  }

  /// Whether any name begins with `scope` and a dot.
  public func containsScope(_ scope: String) -> Bool { names.contains { $0.hasPrefix("\(prefix)\(scope).") } }

  /// The tensor of this name.
  ///
  /// - Parameters:
  ///   - name: The first of its names.
  ///   - shape: What its shape must be.
  ///   - alternatives: Other names it may go by; listed in the error.
  /// - Throws: ``ParameterError`` when it is missing, of another shape, or of integers.
  public func tensor(
    _ name: String, shape: [Int], alternatives: [String] = []
  ) throws(ParameterError) -> Tensor {
    guard let found = ([name] + alternatives).first(where: contains) else {
      throw .missing(name: prefix + name, alternatives: alternatives.map { prefix + $0 })
    }
    let full = prefix + found
    taken.names.insert(full)
    switch source {
    case .memory(let tensors):
      let tensor = tensors[full]!
      guard tensor.shape == shape else { throw .wrongShape(name: full, expected: shape, actual: tensor.shape) }
      return tensor
    case .file(let file):
      guard let tensor = try? file.tensor(named: full) else { throw .missing(name: full, alternatives: []) }
      guard tensor.type.isFloatingPoint else { throw .wrongType(name: full, actual: tensor.type) }
      guard tensor.shape == shape else { throw .wrongShape(name: full, expected: shape, actual: tensor.shape) }
      return Tensor(tensor.scalars(as: Float.self), shape: shape)
    }
  }

  /// The name as it stands in the file.
  func fullName(of name: String) -> String { prefix + name }

  /// Throws when a name of this scope has not been taken.
  func checkAllTaken() throws(ParameterError) {
    if let name = names.filter({ $0.hasPrefix(prefix) && !taken.names.contains($0) }).min() {
      throw .unexpected(name: name)
    }
  }

  private var names: [String] {
    switch source {
    case .file(let file): file.names
    case .memory(let tensors): Array(tensors.keys)
    }
  }
}
