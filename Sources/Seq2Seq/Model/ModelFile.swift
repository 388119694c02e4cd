import Attention
import Safetensors

/// Why a model or checkpoint could not be loaded or saved. `description` is one line that names the file.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file cannot be read or written, or is no safetensors file.
  case file(SafetensorsError)
  /// The file holds no model, or no checkpoint: `what` is missing.
  case missing(path: String, what: String)
  /// The configuration or a vocabulary is not what it should be.
  case configuration(path: String, JSONError)
  /// A parameter is missing or has a wrong shape.
  case parameters(path: String, ParameterError)

  /// The file and what is wrong.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .missing(let path, let what): "\(path): expected \(what), found a file without it"
    case .configuration(let path, let error): "\(path): \(error.description)"
    case .parameters(let path, let error): "\(path): \(error.description)"
    }
  }
}

// A model is one safetensors file: the parameters under the names of `parameters`, and in the metadata `format`,
// `configuration`, `source` and `target`, the last three as JSON.
extension TranslationModel {
  private static let format = "swift-attention translation model 1"

  /// Writes one safetensors file, whole or not at all: the parameters, with configuration and vocabularies in its
  /// metadata.
  ///
  /// - Throws: ``ModelError``.
  public func save(to path: String) throws(ModelError) {
    var writer = SafetensorsWriter(metadata: metadata)
    do throws(SafetensorsError) {
      try addParameters(to: &writer, prefix: "")
      try writer.write(to: path)
    } catch {
      throw .file(error)
    }
  }

  /// The model of a file that ``save(to:)`` wrote, or a checkpoint's best.
  ///
  /// - Throws: ``ModelError`` where there is no such file, or it is damaged or not a model.
  public static func load(from path: String) throws(ModelError) -> TranslationModel {
    let file: SafetensorsFile
    do throws(SafetensorsError) {
      file = try SafetensorsFile(contentsOf: path)
    } catch {
      throw .file(error)
    }
    return try TranslationModel(file, prefix: file.metadata["training"] == nil ? "" : "best")
  }

  var metadata: [String: String] {
    [
      "format": Self.format, "configuration": configuration.json, "source": source.json, "target": target.json,
    ]
  }

  func addParameters(to writer: inout SafetensorsWriter, prefix: String) throws(SafetensorsError) {
    for parameter in prefix.isEmpty ? parameters : parameters.scoped(to: prefix) {
      try writer.add(parameter.name, parameter.tensor.scalars, shape: parameter.tensor.shape)
    }
  }

  /// The model whose parameters have names that begin with the prefix.
  init(_ file: SafetensorsFile, prefix: String) throws(ModelError) {
    let path = file.path
    guard file.metadata["format"] == Self.format else {
      throw .missing(path: path, what: "a translation model (format \"\(Self.format)\")")
    }
    func json<Value: JSONRepresentable>(_ key: String) throws(ModelError) -> Value {
      guard let text = file.metadata[key] else { throw .missing(path: path, what: "\(key) in the metadata") }
      do throws(JSONError) {
        return try Value(json: text)
      } catch {
        throw .configuration(path: path, error)
      }
    }
    self.init(try json("configuration"), source: try json("source"), target: try json("target"), seed: 0)
    do throws(ParameterError) {
      try load(from: file, prefix: prefix)
    } catch {
      throw .parameters(path: path, error)
    }
  }
}
