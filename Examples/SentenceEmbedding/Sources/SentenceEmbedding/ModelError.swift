import Attention
import Foundation
import Safetensors

/// Why a model cannot be used. `description` is one line: the file, what was expected and what came.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file at fault.
  public let path: String
  /// What is wrong with it.
  public let message: String

  /// An error about a file.
  public init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }

  init(_ path: String, _ error: SafetensorsError) {
    self.init(path, SafetensorsError(error.reason, tensor: error.tensor).description)
  }

  init(_ path: String, _ error: ParameterError) { self.init(path, error.description) }

  /// `FILE: MESSAGE`.
  public var description: String { "\(path): \(message)" }
}

/// The bytes of a file.
func contents(of path: String) throws(ModelError) -> Data {
  do {
    return try Data(contentsOf: URL(fileURLWithPath: path))
  } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
    throw ModelError(path, "no such file")
  } catch {
    throw ModelError(path, "cannot be read")
  }
}

/// A file of JSON, its keys in snake case.
func decoded<Value: Decodable>(_ type: Value.Type, from path: String) throws(ModelError) -> Value {
  let data = try contents(of: path)
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  do {
    return try decoder.decode(type, from: data)
  } catch DecodingError.keyNotFound(let key, _) {
    throw ModelError(path, "'\(snakeCase(key.stringValue))' is missing")
  } catch DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context) {
    let key = context.codingPath.last.map { "'\(snakeCase($0.stringValue))'" } ?? "the file"
    throw ModelError(path, "expected \(key) to be of type \(type)")
  } catch {
    throw ModelError(path, "expected JSON")
  }
}

private func snakeCase(_ key: String) -> String {
  key.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}
