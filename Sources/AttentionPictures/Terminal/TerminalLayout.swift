/// What of a matrix is drawn in how many columns and rows, so that no line exceeds the width.
struct TerminalLayout {
  /// Of the queries' labels.
  let labelWidth: Int
  /// Of a cell with the gap behind it.
  let cellWidth: Int
  /// Whether key labels stand upright above cells of two columns.
  let isUpright: Bool
  /// Drawn from the first on.
  let queries, keys: Int
  /// The columns left for everything.
  let width: Int

  /// A number with two digits after the point, and a space on each side.
  static let numberWidth = 6
  static let longestKeyLabel = 12
  static let tallestKeyLabel = 10

  init(_ matrix: WeightMatrix, queryLabels: [String], keyLabels: [String], style: TerminalStyle) {
    width = max(style.width, 24)
    labelWidth = min(queryLabels.reduce(0) { max($0, DisplayWidth.of($1)) }, width / 3)
    let available = width - labelWidth - 1
    let widest = min(keyLabels.reduce(0) { max($0, DisplayWidth.of($1)) }, Self.longestKeyLabel)
    // Plain cells hold two columns of shading before the number.
    let wide = max(widest + 1, Self.numberWidth + (style.colours == .none ? 2 : 0))
    isUpright = wide * matrix.keys > available
    cellWidth = isUpright ? 2 : wide
    keys = min(matrix.keys, available / cellWidth)
    queries = min(matrix.queries, max(style.rows ?? matrix.queries, 1))
  }

  /// Lines that say what is left out.
  func remarks(of matrix: WeightMatrix) -> [String] {
    var lines: [String] = []
    if keys < matrix.keys {
      lines.append("the first \(keys) of \(matrix.keys) keys; \(matrix.keys - keys) do not fit into \(width) columns")
    }
    if queries < matrix.queries {
      lines.append("the first \(queries) of \(matrix.queries) queries; \(matrix.queries - queries) are left out")
    }
    return lines
  }
}
