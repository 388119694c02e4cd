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
      if let argument {
        let option = option ?? "--\(what)-labels"
        let labels = try argument.labels(option)
        guard labels.count == count else {
          throw .usage("\(option): \(labels.count) labels, but \(expected), [\(shape.queries), \(shape.keys)]")
        }
        return labels
      }
      guard let json = source.metadata["\(what)_labels"] else { return (0..<count).map(String.init) }
      let place = "\(source.path): metadata \"\(what)_labels\""
      guard let labels = metadataLabels(json, batch: batch) else {
        throw .badInput("\(place): expected a JSON array of strings, or one such array for each sequence")
      }
      guard labels.count == count else { throw .badInput("\(place): \(labels.count) labels, but \(expected)") }
      return labels
    }
    self.queries = try side("query", queries, shape.queries)
    self.keys = try side("key", keys, shape.keys)
  }
}

/// An array of strings, or that of a sequence of the batch.
private func metadataLabels(_ json: String, batch: Int) -> [String]? {
  let data = Data(json.utf8)
  if let labels = try? JSONDecoder().decode([String].self, from: data) { return labels }
  guard let sequences = try? JSONDecoder().decode([[String]].self, from: data), sequences.indices ~= batch else {
    return nil
  }
  return sequences[batch]
}
