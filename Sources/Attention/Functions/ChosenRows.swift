extension AttentionMask {
  /// The mask of the query rows chosen, in their order: bounds that go by position become truth values of those rows.
  func choosing(rows: [Int], batch: Int, queryLength: Int, keyLength: Int) -> AttentionMask {
    var mask = AttentionMask.none
    mask.lengths = lengths
    if let dense { mask.dense = dense.choosing(rows: rows, queryLength: queryLength) }
    guard isCausal || windowLeft != nil || windowRight != nil else { return mask }
    let attend = (0..<batch).flatMap { b in
      let offset = positionOffset(batch: b, queryLength: queryLength, keyLength: keyLength)
      return rows.flatMap { row in (0..<keyLength).map { key in bounds(row + offset, see: key) } }
    }
    return mask & .boolean(attend, shape: [batch, 1, rows.count, keyLength])
  }

  private func bounds(_ position: Int, see key: Int) -> Bool {
    (!isCausal || key <= position) && windowLeft.map { key >= position - $0 } ?? true
      && windowRight.map { key <= position + $0 } ?? true
  }
}

extension AttentionMask.Dense {
  fileprivate func choosing(rows: [Int], queryLength: Int) -> AttentionMask.Dense {
    guard shape.count >= 2, shape[shape.count - 2] == queryLength, queryLength != 1 else { return self }
    var extents = shape
    extents[extents.count - 2] = rows.count
    return AttentionMask.Dense(
      attend: lines(rows, of: attend, length: queryLength, width: shape[shape.count - 1]), shape: extents)
  }
}

extension Tensor {
  /// [B, T, X] → [B, R, X].
  func choosing(rows: [Int]) -> Tensor {
    Tensor(lines(rows, of: scalars, length: shape[1], width: shape[2]), shape: [shape[0], rows.count, shape[2]])
  }
}

/// [outer, length, width] → [outer, R, width].
private func lines<Element>(_ rows: [Int], of elements: [Element], length: Int, width: Int) -> [Element] {
  let outer = length * width == 0 ? 0 : elements.count / (length * width)
  var chosen: [Element] = []
  chosen.reserveCapacity(outer * rows.count * width)
  for o in 0..<outer {
    for row in rows {
      let first = (o * length + row) * width
      chosen += elements[first..<first + width]
    }
  }
  return chosen
}
