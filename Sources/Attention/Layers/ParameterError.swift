import Safetensors

/// Why the parameters of a layer could not be loaded. `description` is one line that names the parameter.
public enum ParameterError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no tensor of this name, nor of the alternatives.
  case missing(name: String, alternatives: [String])
  /// The tensor does not have the parameter's shape.
  case wrongShape(name: String, expected: [Int], actual: [Int])
  /// The tensor's elements are no floating-point numbers.
  case wrongType(name: String, actual: SafetensorsType)
  /// The parameter may not have this value.
  case wrongValue(name: String, expected: String, actual: Float)
  /// The layer has no parameter of this name.
  case unexpected(name: String)

  /// The parameter, what was expected and what came.
  public var description: String {
    switch self {
    case .missing(let name, let alternatives):
      (["parameter '\(name)' is missing"] + alternatives.map { "so is '\($0)'" }).joined(separator: ", ")
    case .wrongShape(let name, let expected, let actual):
      "parameter '\(name)': expected shape \(expected), found \(actual)"
    case .wrongType(let name, let actual):
      "parameter '\(name)': expected floating-point numbers, found \(actual.rawValue)"
    case .wrongValue(let name, let expected, let actual):
      "parameter '\(name)': expected \(expected), found \(actual)"
    case .unexpected(let name): "'\(name)' is no parameter of the layer"
    }
  }
}
