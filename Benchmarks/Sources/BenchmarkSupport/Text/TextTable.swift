/// A table of aligned columns whose rows can be printed as they come: widths are set in advance and grow no further
/// than their own cell.
public struct TextTable: Sendable {
  /// A column: title, the width that its cells usually need, and the side they stand on.
  public struct Column: Sendable {
    /// Where the cells of a column stand.
    public enum Side: Sendable { case left, right }

    let title: String
    let width: Int
    let side: Side

    /// A column at least as wide as its title.
    public init(_ title: String, width: Int = 0, side: Side = .right) {
      self.title = title
      self.width = max(width, title.count)
      self.side = side
    }

    func cell(_ text: String) -> String {
      let padding = String(repeating: " ", count: max(0, width - text.count))
      return side == .right ? padding + text : text + padding
    }
  }

  private let columns: [Column]

  /// A table with these columns.
  public init(_ columns: [Column]) { self.columns = columns }

  /// The titles and a rule below them.
  public var header: String {
    line(columns.map(\.title)) + "\n" + columns.map { String(repeating: "─", count: $0.width) }.joined(separator: "  ")
  }

  /// One line with a cell for each column.
  public func line(_ cells: [String]) -> String {
    precondition(cells.count == columns.count, "TextTable: \(cells.count) cells for \(columns.count) columns")
    return zip(columns, cells).map { $0.cell($1) }.joined(separator: "  ").trimmingTrailingSpaces()
  }
}

extension String {
  fileprivate func trimmingTrailingSpaces() -> String {
    var text = Substring(self)
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
