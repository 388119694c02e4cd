/// A dense [batch, heads, rows, columns] array that is read by its four indices.
struct Rows {
  let elements: [Double]
  let heads: Int
  let rows: Int
  let columns: Int

  subscript(b: Int, h: Int, row: Int, column: Int) -> Double {
    elements[((b * heads + h) * rows + row) * columns + column]
  }
}
