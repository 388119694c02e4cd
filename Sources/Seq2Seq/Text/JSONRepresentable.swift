import Foundation

/// What is saved as JSON beside a model's weights and checked when it is read.
public protocol JSONRepresentable: Codable, Sendable {
  /// What a message calls it, for instance `vocabulary`.
  static var nameInMessages: String { get }
}

/// Why something could not be read from JSON, or written. `description` is one line.
public enum JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file cannot be read or written; `reason` is the system's.
  case file(path: String, reason: String)
  /// The JSON is not what it should be; `name` says of what, `reason` what is wrong.
  case malformed(name: String, reason: String)

  /// What is well-formed but must not be.
  static func invalid(_ type: any JSONRepresentable.Type, _ reason: String) -> Self {
    .malformed(name: type.nameInMessages, reason: reason)
  }

  /// The file or the thing, and what is wrong.
  public var description: String {
    switch self {
    case .file(let path, let reason): "\(path): \(reason)"
    case .malformed(let name, let reason): "\(name): \(reason)"
    }
  }
}

extension JSONRepresentable {
  /// One line of JSON with its keys sorted: the same bytes for equal values.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings, integers and booleans cannot fail.
    guard let data = try? encoder.encode(self) else { fatalError("\(Self.nameInMessages): cannot be JSON") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads what `json` gave.
  public init(json: String) throws(JSONError) {
    try self.init(json: Data(json.utf8))
  }

  /// Reads a file that `write(to:)` wrote.
  public init(contentsOf path: String) throws(JSONError) {
    let data: Data
    do {
      data = Data(try readFile(path))
    } catch {
      throw .file(path: path, reason: "cannot \(error.operation): \(error.message)")
    }
    try self.init(json: data)
  }

  /// Writes a file, whole or not at all.
  public func write(to path: String) throws(JSONError) {
    do {
      try replaceFile(path, with: Array(json.utf8))
    } catch {
      throw .file(path: path, reason: "cannot \(error.operation): \(error.message)")
    }
  }

  private init(json: Data) throws(JSONError) {
    do {
      self = try JSONDecoder().decode(Self.self, from: json)
    } catch let error as JSONError {
      throw error
    } catch let error as DecodingError {
      throw .invalid(Self.self, error.reason)
    } catch {
      throw .invalid(Self.self, "expected JSON, found something else")
    }
  }
}

extension DecodingError {
  fileprivate var reason: String {
    func place(_ context: Context) -> String {
      context.codingPath.isEmpty
        ? ""
        : " at "
          + context.codingPath.map { $0.intValue.map(String.init) ?? "\"\($0.stringValue)\"" }
          .joined(separator: ".")
    }
    return switch self {
    case .keyNotFound(let key, let context): "\"\(key.stringValue)\" is missing\(place(context))"
    case .typeMismatch(let type, let context): "expected \(type)\(place(context)), found another type"
    case .valueNotFound(let type, let context): "expected \(type)\(place(context)), found null"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "expected JSON, found something else" : "\(context.debugDescription)\(place(context))"
    @unknown default: "expected JSON of another form"
    }
  }
}
