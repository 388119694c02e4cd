import Attention

extension Tensor {
  /// [B, T, W] → [N, W]: the first lengths[b] rows of each sequence, one behind the other.
  func packingRows(_ lengths: [Int]) -> Tensor {
    let (batch, steps, width) = (shape[0], shape[1], shape[2])
    let rows = lengths.enumerated().flatMap { row, length in row * steps..<row * steps + length }
    return reshaped(to: [batch * steps, width]).gatheringRows(rows)
  }

  /// [N, W] → [B, T, W], 0 beyond the lengths.
  func unpackingRows(_ lengths: [Int], steps: Int) -> Tensor {
    var rows = [Int](repeating: -1, count: lengths.count * steps), from = 0
    for (row, length) in lengths.enumerated() {
      for step in 0..<length { rows[row * steps + step] = from + step }
      from += length
    }
    return gatheringRows(rows).reshaped(to: [lengths.count, steps, shape[1]])
  }

  /// [L, B, H] → [L, rows.count, H].
  func selectingBatch(_ rows: [Int]) -> Tensor {
    let (layers, batch, width) = (shape[0], shape[1], shape[2])
    let all = (0..<layers).flatMap { layer in rows.map { layer * batch + $0 } }
    return reshaped(to: [layers * batch, width]).gatheringRows(all).reshaped(to: [layers, rows.count, width])
  }

  /// Of states [L·directions, B, H], those of a layer, directions side by side: [B, directions·H].
  func statesOfLayer(_ layer: Int, directions: Int) -> Tensor {
    let (batch, width) = (shape[1], shape[2])
    let rows = (0..<batch).flatMap { row in
      (0..<directions).map { (layer * directions + $0) * batch + row }
    }
    return reshaped(to: [shape[0] * batch, width]).gatheringRows(rows).reshaped(to: [batch, directions * width])
  }

  /// The inverse for all layers: L tensors [B, directions·H] → [L·directions, B, H].
  static func statesOfLayers(_ layers: [Tensor], directions: Int) -> Tensor {
    let (batch, width) = (layers[0].shape[0], layers[0].shape[1] / directions)
    var states: [Float] = []
    states.reserveCapacity(layers.count * layers[0].count)
    for layer in layers {
      for direction in 0..<directions {
        let rows = (0..<batch).map { $0 * directions + direction }
        states += layer.reshaped(to: [batch * directions, width]).gatheringRows(rows).scalars
      }
    }
    return Tensor(states, shape: [layers.count * directions, batch, width])
  }
}
