import ArgumentParser
import Attention
import AttentionPictures
import Safetensors

struct Plot: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw attention weights: in the terminal, as SVG, or as an HTML page to explore.",
    discussion: """
      INPUT is a safetensors file with the weights as a floating-point tensor weights, [Sq,Sk], [H,Sq,Sk] or \
      [B,H,Sq,Sk], or those of several layers as layer0.weights, layer1.weights, …; what `attention run --emit \
      weights` writes is such a file. Otherwise it holds the tensors of `attention run` (query, key, value, \
      …), and the weights are computed with the same options.

      Without -o the picture goes to the terminal. A heat map has a row for each query and a column for each \
      key; --query draws bars for one. A picture shows one layer (the first) and one head (their mean unless \
      --head says which); an HTML page holds all, to switch between. There is no PNG output: browsers show, \
      print and convert SVG.

      Labels come from the options, else from the file's metadata query_labels and key_labels, or tokens for \
      both of self-attention: a JSON array of strings, or an array of those for each sequence of the batch; \
      else they are indices.
      """)

  @Argument(help: "Safetensors file with weights, or with query, key and value.")
  var input: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("File to write; it appears whole or not at all.", valueName: "FILE.svg|FILE.html"))
  var output: String?

  @OptionGroup var selection: PlotSelection

  @Option(parsing: .unconditional, help: ArgumentHelp("Names of the queries.", valueName: "A,B,…|@FILE"))
  var queryLabels: LabelArgument?

  @Option(parsing: .unconditional, help: ArgumentHelp("Names of the keys.", valueName: "A,B,…|@FILE"))
  var keyLabels: LabelArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Names of both, for self-attention. @FILE reads one label a line.", valueName: "A,B,…|@FILE"))
  var labels: LabelArgument?

  @Option(help: "What stands above the picture (default: the file's name and what was chosen).")
  var title: String?

  @Option(parsing: .unconditional, help: "Columns of the picture in the terminal (default: as many as it has).")
  var width: Int?

  @Option(help: "Colours in the terminal: auto, always or never. auto heeds NO_COLOR.")
  var color: ColorArgument?

  @Option(help: "Order of axes of query, key and value: bhsd is [batch, heads, length, dimension].")
  var layout: AttentionLayout = .bhsd

  @OptionGroup var options: ProblemOptions

  func validate() throws {
    if labels != nil && (queryLabels != nil || keyLabels != nil) {
      throw ValidationError("--labels names queries and keys; it does not go with --query-labels or --key-labels")
    }
    if let width, !(24...10_000 ~= width) { throw ValidationError("--width is \(width); it must be 24 to 10000") }
    if output != nil && (width != nil || color != nil) {
      throw ValidationError("--width and --color are for the terminal; they do not go with -o")
    }
  }

  func run() throws {
    let format = try output.map { path throws(CommandFailure) in try PictureFormat(path: path) } ?? .terminal
    let source = try WeightSource(path: input, layout: layout, options: options)
    let chosen = try selection.resolve(source, format: format)
    let names = try PlotLabels(
      source: source, batch: chosen.batch, queries: queryLabels ?? labels, keys: keyLabels ?? labels,
      option: labels == nil ? nil : "--labels")
    let heading = title ?? ([fileName(input)] + chosen.description).joined(separator: " · ")
    let stack = source.stack(chosen, labels: names, title: heading)
    let picture =
      switch format {
      case .terminal: terminalPicture(stack.matrix(layer: 0, head: 0), barsOf: chosen.barRow)
      case .svg:
        chosen.barRow == nil
          ? stack.matrix(layer: 0, head: 0).svgHeatMap() : stack.matrix(layer: 0, head: 0).svgBars(query: 0)
      case .html: stack.htmlPage(selectedQuery: chosen.selectedQuery)
      }
    do throws(SafetensorsError) {
      if let output {
        try replaceFile(at: output, with: Array(picture.utf8))
      } else {
        try writeStandardOutput(picture)
      }
    } catch {
      throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
    }
  }

  private func terminalPicture(_ matrix: WeightMatrix, barsOf query: Int?) -> String {
    var style = TerminalStyle.standardOutput
    style.rows = PictureFormat.terminalRows
    if let width { style.width = width }
    switch color {
    case .never: style.colours = .none
    case .always: style.colours = TerminalStyle.terminalColours
    case .auto, nil: break
    }
    return query == nil ? matrix.terminalHeatMap(style: style) : matrix.terminalBars(query: 0, style: style)
  }
}

/// `--color`.
enum ColorArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
}

/// What kind of picture is drawn.
enum PictureFormat {
  case terminal, svg, html

  /// Rows of a picture in the terminal.
  static let terminalRows = 200

  /// By the ending of a file's name.
  init(path: String) throws(CommandFailure) {
    let name = fileName(path)
    let ending = name.contains(".") ? name.split(separator: ".").last.map { $0.lowercased() } ?? "" : ""
    switch ending {
    case "svg": self = .svg
    case "html", "htm": self = .html
    case "png", "jpg", "jpeg", "gif", "webp", "pdf":
      throw .usage(
        "-o: there is no \(ending.uppercased()) output; name a .svg file, which browsers print and convert, or .html")
    default:
      throw .usage("-o: expected a file name that ends in .svg or .html, found '\(path)'")
    }
  }
}

/// The last component of a path.
func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
