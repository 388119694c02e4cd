import Attention
import AttentionPictures
import Safetensors

/// The weights that a file holds or that its queries and keys give, read a row at a time.
struct WeightSource {
  struct Shape: Equatable {
    var batch, heads, queries, keys: Int
  }

  struct Layer {
    var name: String
    var shape: Shape
    /// The weights of a query: of a sequence, a head and an index.
    var row: (_ batch: Int, _ head: Int, _ query: Int) -> [Float]
  }

  let path: String
  let metadata: [String: String]
  /// At least one; all have the same queries and keys.
  let layers: [Layer]

  init(path: String, layout: AttentionLayout, options: ProblemOptions) throws(CommandFailure) {
    let tensors = try InputTensors(path: path)
    self.path = path
    metadata = tensors.file.metadata
    let names = try weightNames(in: tensors)
    if names.isEmpty {
      guard tensors.contains("query") else {
        throw .badInput(
          "\(path): expected a tensor \"weights\", \"layer0.weights\", … or \"query\", found none of them")
      }
      layers = [try computedLayer(path: path, layout: layout, options: options)]
    } else {
      if let option = options.given.first {
        throw .usage("\(option) is for weights that are computed; \(path) holds \"\(names[0].tensor)\"")
      }
      var layers: [Layer] = []
      for (layer, name) in names {
        layers.append(try storedLayer(layer, try tensors.required(name), path: path))
      }
      self.layers = layers
    }
    for (index, layer) in layers.enumerated() {
      let (found, first) = (layer.shape, layers[0].shape)
      let name = names.isEmpty ? "query" : names[index].tensor
      guard found.queries > 0, found.keys > 0, found.heads > 0, found.batch > 0 else {
        throw .badInput(
          "\(path): tensor \"\(name)\": there is nothing to draw, batch \(found.batch), heads \(found.heads), "
            + "queries \(found.queries), keys \(found.keys)")
      }
      guard found.queries == first.queries, found.keys == first.keys else {
        throw .badInput(
          "\(path): tensor \"\(name)\": expected \(first.queries) queries and \(first.keys) keys as in "
            + "\"\(names[0].tensor)\", found \(found.queries) and \(found.keys)")
      }
    }
  }

  /// The chosen weights with their labels.
  func stack(_ selection: ResolvedSelection, labels: PlotLabels, title: String) -> WeightStack {
    let (rows, columns) = (selection.rows, selection.columns)
    let layers = selection.layers.map { position in
      let layer = self.layers[position]
      func map(_ head: Int) -> [Float] {
        rows.flatMap { layer.row(selection.batch, head, $0)[columns] }
      }
      func drawn(_ scalars: [Float], _ names: [String]) -> WeightStack.Layer {
        WeightStack.Layer(
          layer.name, weights: Tensor(scalars, shape: [names.count, rows.count, columns.count]), headNames: names)
      }
      switch selection.heads {
      case .one(let head): return drawn(map(head), ["\(head)"])
      case .all:
        return drawn((0..<layer.shape.heads).flatMap(map), (0..<layer.shape.heads).map(String.init))
      case .mean:
        var sums = [Double](repeating: 0, count: rows.count * columns.count)
        for head in 0..<layer.shape.heads {
          for (index, weight) in map(head).enumerated() { sums[index] += Double(weight) }
        }
        return drawn(sums.map { Float($0 / Double(layer.shape.heads)) }, ["mean"])
      }
    }
    return WeightStack(
      layers: layers, queryLabels: Array(labels.queries[rows]), keyLabels: Array(labels.keys[columns]), title: title)
  }
}

/// The tensors of weights with the names of their layers, by number.
private func weightNames(in tensors: InputTensors) throws(CommandFailure) -> [(layer: String, tensor: String)] {
  let numbered: [(Int, String)] = tensors.file.names.compactMap { name in
    guard let match = name.wholeMatch(of: /layer(0|[1-9][0-9]*)\.weights/), let number = Int(match.1) else {
      return nil
    }
    return (number, name)
  }
  guard tensors.contains("weights") else {
    return numbered.sorted { $0.0 < $1.0 }.map { ("\($0.0)", $0.1) }
  }
  guard numbered.isEmpty else {
    throw .badInput("\(tensors.path): expected either \"weights\" or \"\(numbered[0].1)\", found both")
  }
  return [("0", "weights")]
}

private func storedLayer(
  _ name: String, _ tensor: SafetensorsTensor, path: String
) throws(CommandFailure) -> WeightSource.Layer {
  guard tensor.type.isFloatingPoint else {
    throw .badInput("\(path): tensor \"\(tensor.name)\": expected a floating-point type, found \(tensor.type.rawValue)")
  }
  let rank = tensor.shape.count
  guard 2...4 ~= rank else {
    throw .badInput(
      "\(path): tensor \"\(tensor.name)\": expected axes [Sq, Sk], [H, Sq, Sk] or [B, H, Sq, Sk], "
        + "found shape \(tensor.shape)")
  }
  let axes = [Int](repeating: 1, count: 4 - rank) + tensor.shape
  return WeightSource.Layer(
    name: name, shape: .init(batch: axes[0], heads: axes[1], queries: axes[2], keys: axes[3])
  ) { batch, head, query in
    var part = tensor
    if rank > 3 { part = part.slice(batch) }
    if rank > 2 { part = part.slice(head) }
    return part.slice(query).scalars(as: Float.self)
  }
}

private func computedLayer(
  path: String, layout: AttentionLayout, options: ProblemOptions
) throws(CommandFailure) -> WeightSource.Layer {
  var problem = try InputProblem(path: path, layout: layout, arguments: options)
  let shape = problem.shape
  let count = Double(shape.batch) * Double(shape.queryHeads) * Double(shape.queryLength) * Double(shape.keyLength)
  guard count <= 1e8 else {
    throw .badInput(
      "\(path): \(shape.batch) × \(shape.queryHeads) × \(shape.queryLength) × \(shape.keyLength) weights are more than "
        + "the 100000000 that are computed for a picture; give fewer sequences, heads, queries or keys")
  }
  let weights =
    count == 0
    ? [] : try problem.withProgress(known: true) { (problem) throws(CommandFailure) in try problem.weights() }
  let (heads, queries, keys) = (shape.queryHeads, shape.queryLength, shape.keyLength)
  return WeightSource.Layer(
    name: "0", shape: .init(batch: shape.batch, heads: heads, queries: queries, keys: keys)
  ) { batch, head, query in
    let start = ((batch * heads + head) * queries + query) * keys
    return Array(weights[start..<start + keys])
  }
}
