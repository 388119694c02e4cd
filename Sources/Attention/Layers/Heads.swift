extension Tensor {
  /// [B, S, H·D] → [B, H, S, D].
  func splitIntoHeads(_ heads: Int) -> Tensor {
    let (batch, length, dimension) = (shape[0], shape[1], shape[2] / heads)
    return Tensor(
      exchangingAxes(scalars, outer: batch, first: length, second: heads, inner: dimension),
      shape: [batch, heads, length, dimension])
  }

  /// [B, H, S, D] → [B, S, H·D].
  func mergedHeads() -> Tensor {
    let (batch, heads, length, dimension) = (shape[0], shape[1], shape[2], shape[3])
    return Tensor(
      exchangingAxes(scalars, outer: batch, first: heads, second: length, inner: dimension),
      shape: [batch, length, heads * dimension])
  }

  /// [B, G, S, D] with rows [G·D], the same for every sequence, put before the first → [B, G, rows + S, D].
  func prependingPositions(_ rows: [[Float]]) -> Tensor {
    if rows.isEmpty { return self }
    let (batch, heads, length, dimension) = (shape[0], shape[1], shape[2], shape[3])
    var joined: [Float] = []
    joined.reserveCapacity(count + batch * heads * rows.count * dimension)
    for head in 0..<batch * heads {
      let first = head % heads * dimension
      for row in rows { joined += row[first..<first + dimension] }
      joined += scalars[head * length * dimension..<(head + 1) * length * dimension]
    }
    return Tensor(joined, shape: [batch, heads, length + rows.count, dimension])
  }

  /// [B, G, S, D] → [B, G, S − positions, D], without the first.
  func droppingPositions(_ positions: Int) -> Tensor {
    if positions == 0 { return self }
    let (length, dimension) = (shape[2], shape[3])
    var kept: [Float] = []
    kept.reserveCapacity(shape[0] * shape[1] * (length - positions) * dimension)
    for head in 0..<shape[0] * shape[1] {
      kept += scalars[(head * length + positions) * dimension..<(head + 1) * length * dimension]
    }
    return Tensor(kept, shape: [shape[0], shape[1], length - positions, dimension])
  }

  /// [..., S] with the first positions of the last axis put behind its last.
  func movingToEnd(_ positions: Int) -> Tensor {
    if positions == 0 { return self }
    let length = shape[rank - 1]
    var moved: [Float] = []
    moved.reserveCapacity(count)
    for first in stride(from: 0, to: count, by: length) {
      moved += scalars[first + positions..<first + length]
      moved += scalars[first..<first + positions]
    }
    return Tensor(moved, shape: shape)
  }

  /// [B, G, S, D] → [G·D], one position summed over the sequences.
  func sumOverBatch(position: Int) -> Tensor {
    let (heads, dimension) = (shape[1], shape[3])
    var sum = [Float](repeating: 0, count: heads * dimension)
    for row in 0..<shape[0] * heads {
      for column in 0..<dimension {
        sum[row % heads * dimension + column] += scalars[(row * shape[2] + position) * dimension + column]
      }
    }
    return Tensor(sum, shape: [heads * dimension])
  }
}

/// [outer, first, second, inner] → [outer, second, first, inner].
private func exchangingAxes(_ scalars: [Float], outer: Int, first: Int, second: Int, inner: Int) -> [Float] {
  [Float](unsafeUninitializedCapacity: scalars.count) { target, count in
    scalars.withUnsafeBufferPointer { source in
      guard let from = source.baseAddress, let to = target.baseAddress, !source.isEmpty else { return }
      for o in 0..<outer {
        for f in 0..<first {
          for s in 0..<second {
            (to + ((o * second + s) * first + f) * inner)
              .initialize(from: from + ((o * first + f) * second + s) * inner, count: inner)
          }
        }
      }
    }
    count = scalars.count
  }
}
