import Attention

extension Problem {
  /// The inputs rounded to Float.
  var tensors: (queries: Tensor, keys: Tensor, values: Tensor) {
    let tensor = { (elements: [Double], heads: Int, rows: Int, columns: Int) in
      Tensor(elements.map { Float($0) }, shape: [shape.batch, heads, rows, columns])
    }
    return (
      tensor(queries, shape.queryHeads, shape.queryLength, shape.headDimension),
      tensor(keys, shape.keyHeads, shape.keyLength, shape.headDimension),
      tensor(values, shape.keyHeads, shape.keyLength, shape.valueDimension)
    )
  }
}
