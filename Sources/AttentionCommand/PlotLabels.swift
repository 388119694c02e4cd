import ArgumentParser
import Foundation

/// Labels of an option: `A,B,…`, or `@FILE` with one a line.
struct LabelArgument: ExpressibleByArgument {
  var text: String

  init?(argument: String) { text = argument }

  func labels(_ option: String) throws(CommandFailure) -> [String] {
    guard text.hasPrefix("@") else {
      return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let path = String(text.dropFirst())
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .badInput("\(option): cannot read \(path)")
    }
    guard let content = String(validating: data, as: UTF8.self) else {
      throw .badInput("\(option): \(path) is not UTF-8")
    }
    var lines = content.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" })
    if lines.last == "" { lines.removeLast() }
    return lines.map(String.init)
  }
}

/// The names of all queries and keys of a source.
struct PlotLabels {
  let queries, keys: [String]

  /// Each side from its option, else from the metadata, else indices. `option` is what both came from, where it is one.
  init(
    source: WeightSource, batch: Int, queries: LabelArgument?, keys: LabelArgument?, option: String?
  ) throws(CommandFailure) {
    let shape = source.layers[0].shape
    func side(
      _ what: String, _ argument: LabelArgument?, _ count: Int
    ) throws(CommandFailure) -> [String] {
      let expected = "the weights have \(count) \(what == "query" ? "queries" : "keys")"
      guard let argument else {
        if let labels = try metadataLabels("\(what)_labels", source, batch: batch, count: count, expected: expected) {
          return labels
        }
        // A name that others may use for something else.
        let tokens = try? metadataLabels("tokens", source, batch: batch, count: count, expected: expected)
        return (shape.queries == shape.keys ? tokens : nil) ?? (0..<count).map(String.init)
      }
      let option = option ?? "--\(what)-labels"
      let labels = try argument.labels(option)
      guard labels.count == count else {
        throw .usage("\(option): \(labels.count) labels, but \(expected), [\(shape.queries), \(shape.keys)]")
      }
      return labels
    }
    self.queries = try side("query", queries, shape.queries)
    self.keys = try side("key", keys, shape.keys)
  }
}

/// The labels under a name of the metadata, nil when it has none. Those of a sequence of the batch may be fewer than
/// `count`, where it is padded: its padding is named by index.
private func metadataLabels(
  _ name: String, _ source: WeightSource, batch: Int, count: Int, expected: String
) throws(CommandFailure) -> [String]? {
  guard let json = source.metadata[name] else { return nil }
  let place = "\(source.path): metadata \"\(name)\""
  let data = Data(json.utf8)
  if let labels = try? JSONDecoder().decode([String].self, from: data) {
    guard labels.count == count else { throw .badInput("\(place): \(labels.count) labels, but \(expected)") }
    return labels
  }
  guard let sequences = try? JSONDecoder().decode([[String]].self, from: data), sequences.indices ~= batch else {
    throw .badInput("\(place): expected a JSON array of strings, or one such array for each sequence")
  }
  let labels = sequences[batch]
  guard labels.count <= count else { throw .badInput("\(place): \(labels.count) labels, but \(expected)") }
  return labels + (labels.count..<count).map(String.init)
}
