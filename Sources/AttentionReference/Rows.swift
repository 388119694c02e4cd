/// A dense [batch, heads, rows, columns] array that is read and written by its four indices.
struct Rows {
  var elements: [Double]
  let heads: Int
  let rows: Int
  let columns: Int

  subscript(b: Int, h: Int, row: Int, column: Int) -> Double {
    get { elements[((b * heads + h) * rows + row) * columns + column] }
    set { elements[((b * heads + h) * rows + row) * columns + column] = newValue }
  }

  /// One row.
  func row(_ b: Int, _ h: Int, _ row: Int) -> [Double] {
    let first = ((b * heads + h) * rows + row) * columns
    return Array(elements[first..<first + columns])
  }

  /// An array of the same sizes that holds zeros.
  var zeros: Rows {
    Rows(elements: [Double](repeating: 0, count: elements.count), heads: heads, rows: rows, columns: columns)
  }
}
