import ArgumentParser
import AttentionPictures

/// `--head`: an index or the mean.
enum HeadArgument: ExpressibleByArgument {
  case mean
  case index(Int)

  init?(argument: String) {
    if argument == "mean" {
      self = .mean
    } else if let index = Int(argument), index >= 0 {
      self = .index(index)
    } else {
      return nil
    }
  }
}

/// `FIRST,LAST`, both inclusive; an empty side is unbounded.
struct IndexRange: ExpressibleByArgument {
  var first, last: Int?

  init?(argument: String) {
    let sides = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count == 2 else { return nil }
    for (place, side) in sides.enumerated() where !side.isEmpty {
      guard let index = Int(side), index >= 0 else { return nil }
      if place == 0 { first = index } else { last = index }
    }
  }
}

/// Which of the weights are drawn.
struct PlotSelection: ParsableArguments {
  @Option(parsing: .unconditional, help: "Sequence of the batch.")
  var batch = 0

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Layer: N draws layerN.weights (default: the first).", valueName: "N"))
  var layer: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Head (default: the mean; HTML holds all).", valueName: "N|mean"))
  var head: HeadArgument?

  @Option(parsing: .unconditional, help: ArgumentHelp("Draw the weights of one query as bars.", valueName: "N"))
  var query: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Queries to draw, from 0, both ends included; an empty end is the last.", valueName: "FIRST,LAST"))
  var rows: IndexRange?

  @Option(parsing: .unconditional, help: ArgumentHelp("Keys to draw, likewise.", valueName: "FIRST,LAST"))
  var columns: IndexRange?

  func validate() throws {
    if query != nil && rows != nil { throw ValidationError("--query draws one query; it does not go with --rows") }
  }
}

/// A selection that fits a source.
struct ResolvedSelection {
  enum Heads {
    case all
    case one(Int)
    case mean
  }

  var batch: Int
  /// Positions among the source's layers.
  var layers: [Int]
  var heads: Heads
  var rows, columns: Range<Int>
  /// The only row where bars are drawn.
  var barRow: Int?
  /// The row that a page begins with.
  var selectedQuery: Int?
  /// What a title says of it.
  var description: [String]
}

extension PlotSelection {
  /// Checks each part against what the source has, and the number of weights against what the format holds.
  func resolve(_ source: WeightSource, format: PictureFormat) throws(CommandFailure) -> ResolvedSelection {
    let shape = source.layers[0].shape
    try check("--batch", batch, source.layers.map { $0.shape.batch }.min()!, "sequences")
    let layers = try resolvedLayers(source, format)
    let heads = try resolvedHeads(source, layers, format)
    if let query { try check("--query", query, shape.queries, "queries") }
    let isBars = query != nil && format != .html
    let rows = isBars ? query!..<query! + 1 : try range("--rows", rows, shape.queries, "queries")
    let columns = try range("--columns", columns, shape.keys, "keys")

    var description: [String] = []
    if format != .html, source.layers.count > 1 { description.append("layer \(source.layers[layers[0]].name)") }
    switch heads {
    case .all: break
    case .one(let head): if source.layers[layers[0]].shape.heads > 1 { description.append("head \(head)") }
    case .mean: description.append("mean of \(source.layers[layers[0]].shape.heads) heads")
    }
    if shape.batch > 1 { description.append("sequence \(batch)") }
    let selection = ResolvedSelection(
      batch: batch, layers: layers, heads: heads, rows: rows, columns: columns, barRow: isBars ? query : nil,
      selectedQuery: format == .html ? query : nil, description: description)
    try checkSize(selection, source, format)
    return selection
  }

  private func resolvedLayers(
    _ source: WeightSource, _ format: PictureFormat
  ) throws(CommandFailure) -> [Int] {
    guard let layer else { return format == .html ? Array(source.layers.indices) : [0] }
    guard let position = source.layers.firstIndex(where: { $0.name == "\(layer)" }) else {
      let names = source.layers.map(\.name).joined(separator: ", ")
      throw .usage("--layer is \(layer); \(source.path) has the layers \(names)")
    }
    return [position]
  }

  private func resolvedHeads(
    _ source: WeightSource, _ layers: [Int], _ format: PictureFormat
  ) throws(CommandFailure) -> ResolvedSelection.Heads {
    let count = layers.map { source.layers[$0].shape.heads }.min()!
    switch head {
    case .index(let head):
      try check("--head", head, count, "heads")
      return .one(head)
    case .mean: return count > 1 ? .mean : .one(0)
    case nil: return format == .html ? .all : count > 1 ? .mean : .one(0)
    }
  }

  private func check(_ option: String, _ index: Int, _ count: Int, _ what: String) throws(CommandFailure) {
    guard 0..<count ~= index else {
      throw .usage("\(option) is \(index); there are \(count) \(what), counted from 0")
    }
  }

  private func range(
    _ option: String, _ range: IndexRange?, _ count: Int, _ what: String
  ) throws(CommandFailure) -> Range<Int> {
    let (first, last) = (range?.first ?? 0, range?.last ?? count - 1)
    guard first <= last, last < count else {
      throw .usage("\(option) is \(first),\(last); there are \(count) \(what), counted from 0")
    }
    return first..<last + 1
  }

  private func checkSize(
    _ selection: ResolvedSelection, _ source: WeightSource, _ format: PictureFormat
  ) throws(CommandFailure) {
    let (rows, columns) = (selection.rows.count, selection.columns.count)
    let cells = Double(rows) * Double(columns)
    switch format {
    case .terminal:
      guard cells <= Double(WeightStack.largestPage) else {
        throw .usage(
          "\(source.path): \(rows) × \(columns) weights are more than the \(WeightStack.largestPage) that a terminal "
            + "shows; choose with --rows and --columns FIRST,LAST")
      }
    case .svg where selection.barRow != nil:
      guard columns <= WeightMatrix.mostSVGBars else {
        throw .usage(
          "\(source.path): \(columns) keys are more bars than the \(WeightMatrix.mostSVGBars) that an SVG takes; "
            + "choose with --columns FIRST,LAST")
      }
    case .svg:
      guard cells <= Double(WeightMatrix.largestSVG) else {
        throw .usage(
          "\(source.path): \(rows) × \(columns) weights are more than the \(WeightMatrix.largestSVG) that an SVG "
            + "takes; choose with --rows and --columns FIRST,LAST")
      }
    case .html:
      guard max(rows, columns) <= WeightStack.longestPageSide else {
        throw .usage(
          "\(source.path): \(rows) × \(columns) weights are longer than the \(WeightStack.longestPageSide) a side that "
            + "a page takes; choose with --rows and --columns FIRST,LAST")
      }
      let heads =
        if case .all = selection.heads {
          selection.layers.reduce(0) { $0 + source.layers[$1].shape.heads }
        } else {
          selection.layers.count
        }
      guard cells * Double(heads) <= Double(WeightStack.largestPage) else {
        throw .usage(
          "\(source.path): \(heads) maps of \(rows) × \(columns) weights are more than the \(WeightStack.largestPage) "
            + "that a page takes; choose with --layer, --head, --rows and --columns")
      }
    }
  }
}
