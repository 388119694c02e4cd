import AttentionReference

extension Problem {
  /// Sequence b of the batch by itself, with its first `keys` keys. Without options that differ by sequence.
  func sequence(_ b: Int, keys: Int? = nil) -> Problem {
    let count = keys ?? shape.keyLength
    var alone = self
    alone.shape.batch = 1
    alone.shape.keyLength = count
    alone.queries = part(b, of: queries)
    alone.keys = rows(part(b, of: self.keys), count, shape.headDimension)
    alone.values = rows(part(b, of: values), count, shape.valueDimension)
    return alone
  }

  private func part(_ b: Int, of elements: [Double]) -> [Double] {
    let size = elements.count / shape.batch
    return Array(elements[b * size..<(b + 1) * size])
  }

  /// The first rows of each head.
  private func rows(_ elements: [Double], _ count: Int, _ columns: Int) -> [Double] {
    (0..<shape.keyHeads).flatMap { g in
      elements[g * shape.keyLength * columns..<(g * shape.keyLength + count) * columns]
    }
  }
}
