import Attention
import AttentionPictures
import Seq2Seq

extension Translation {
  /// The alignment: a row for each token of the translation, a column for each of the source.
  var alignment: WeightMatrix {
    WeightMatrix(attention, queryLabels: tokens, keyLabels: sourceTokens, title: alignmentTitle)
  }

  /// For the terminal.
  var alignmentText: String {
    var style = TerminalStyle.standardOutput
    style.rows = PictureFormat.terminalRows
    var matrix = alignment
    matrix.title = nil
    return matrix.terminalHeatMap(style: style)
  }

  /// For a file. There is a limit to the weights of a picture.
  func alignmentPicture(_ format: PictureFormat) throws(CommandFailure) -> String {
    let (rows, columns) = (tokens.count, sourceTokens.count)
    let most = format == .html ? WeightStack.longestPageSide : WeightMatrix.largestSVG
    guard format == .html ? max(rows, columns) <= most : rows * columns <= most else {
      throw .usage("--plot: \(rows) × \(columns) weights are too many for a picture")
    }
    return switch format {
    case .svg: alignment.svgHeatMap()
    case .html:
      WeightStack(
        layers: [.init("alignment", weights: attention.reshaped(to: [1, rows, columns]))], queryLabels: tokens,
        keyLabels: sourceTokens, title: alignmentTitle
      ).htmlPage()
    case .terminal: alignmentText
    }
  }

  private var alignmentTitle: String { "\(sourceTokens.joined()) → \(text)" }
}
