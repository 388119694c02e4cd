import Attention

extension Tensor {
  /// A tensor whose numbers `body` writes, all of them.
  static func written(_ shape: [Int], _ body: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    let size = shape.reduce(1, *)
    return Tensor(
      [Float](unsafeUninitializedCapacity: size) { numbers, count in
        count = size
        if size > 0 { body(numbers.baseAddress!) }
      }, shape: shape)
  }

  /// [B, T, W] → [N, W]: the first lengths[b] rows of each sequence, one behind the other.
  func packingRows(_ lengths: [Int]) -> Tensor {
    let (steps, width) = (shape[1], shape[2])
    return .written([lengths.reduce(0, +), width]) { packed in
      scalars.withUnsafeBufferPointer { x in
        var to = packed
        for (row, length) in lengths.enumerated() where length > 0 {
          to.initialize(from: x.baseAddress! + row * steps * width, count: length * width)
          to += length * width
        }
      }
    }
  }

  /// [N, W] → [B, T, W], 0 beyond the lengths.
  func unpackingRows(_ lengths: [Int], steps: Int) -> Tensor {
    let width = shape[1]
    return .written([lengths.count, steps, width]) { padded in
      scalars.withUnsafeBufferPointer { x in
        var from = 0
        for (row, length) in lengths.enumerated() {
          let to = padded + row * steps * width
          if length > 0 { to.initialize(from: x.baseAddress! + from, count: length * width) }
          (to + length * width).initialize(repeating: 0, count: (steps - length) * width)
          from += length * width
        }
      }
    }
  }

  /// [M, W] → [rows.count, W]: row rows[i] at i; zeros for a negative number.
  func gatheringRows(_ rows: [Int]) -> Tensor {
    let width = shape[1]
    return .written([rows.count, width]) { gathered in
      scalars.withUnsafeBufferPointer { x in
        for (index, row) in rows.enumerated() {
          let to = gathered + index * width
          if row < 0 {
            to.initialize(repeating: 0, count: width)
          } else {
            to.initialize(from: x.baseAddress! + row * width, count: width)
          }
        }
      }
    }
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
