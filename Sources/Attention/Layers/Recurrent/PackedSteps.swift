/// Sequences of unequal lengths, packed: the first elements of all of them, then the second ones of those that have one,
/// and so on, sorted by length, longest first. Padding takes no row.
struct PackedSteps: Sendable {
  /// B.
  let batch: Int
  /// T of the padded tensors.
  let paddedSteps: Int
  /// Which sequence of the batch is row r of every step.
  let order: [Int]
  /// Lengths in that order.
  let lengths: [Int]
  /// The rows of each step, up to the longest length.
  let stepRows: [Int]
  /// The first packed row of each step.
  let starts: [Int]
  /// N, the sum of all lengths.
  let rows: Int
  /// Of each packed row its row of the padded [B·T, width].
  private let paddedRows: [Int64]
  /// Of each padded row its packed one; −1 beyond the lengths.
  private let packedRows: [Int64]

  /// `lengths` are in the order of the batch, each in 0...T.
  init(batch: Int, steps: Int, lengths: [Int]?) {
    self.batch = batch
    paddedSteps = steps
    if let lengths {
      order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
      self.lengths = order.map { lengths[$0] }
    } else {
      order = Array(0..<batch)
      self.lengths = [Int](repeating: steps, count: batch)
    }
    var (stepRows, starts, rows, active) = ([Int](), [Int](), 0, batch)
    for step in 0..<(self.lengths.first ?? 0) {
      while self.lengths[active - 1] <= step { active -= 1 }
      starts.append(rows)
      stepRows.append(active)
      rows += active
    }
    (self.stepRows, self.starts, self.rows) = (stepRows, starts, rows)
    var padded = [Int64](), packed = [Int64](repeating: -1, count: batch * steps)
    padded.reserveCapacity(rows)
    for step in stepRows.indices {
      for row in 0..<stepRows[step] {
        packed[order[row] * steps + step] = Int64(padded.count)
        padded.append(Int64(order[row] * steps + step))
      }
    }
    (paddedRows, packedRows) = (padded, packed)
  }

  /// [B, T, width] → [N, width].
  func pack(_ x: [Float], width: Int) -> [Float] {
    var packed = Kernel.written(rows * width)
    Kernel.copyRows(
      rows, columns: width, of: x, .init(stride: width, index: paddedRows), to: &packed, .init(stride: width))
    return packed
  }

  /// [N, width] → [B, T, width], 0 beyond the lengths.
  func unpack(_ packed: [Float], width: Int) -> [Float] {
    var x = Kernel.written(batch * paddedSteps * width)
    Kernel.copyRows(
      batch * paddedSteps, columns: width, of: packed, .init(stride: width, index: packedRows), to: &x,
      .init(stride: width))
    return x
  }

  /// State `index` of a tensor [L·directions, B, H], its rows in the order of the packed ones.
  func sorted(_ states: Tensor, _ index: Int) -> [Float] {
    let width = states.shape[2]
    return [Float](unsafeUninitializedCapacity: batch * width) { sorted, count in
      states.scalars.withUnsafeBufferPointer { states in
        for row in 0..<batch {
          copy(states, (index * batch + order[row]) * width, to: sorted, row * width, count: width)
        }
      }
      count = batch * width
    }
  }

  /// States [B, H] in the order of the packed rows → [L·directions, B, H] in the order of the batch.
  func unsorted(_ states: [[Float]], width: Int) -> Tensor {
    let size = batch * width
    let scalars = [Float](unsafeUninitializedCapacity: states.count * size) { all, count in
      for (index, state) in states.enumerated() {
        state.withUnsafeBufferPointer { state in
          for row in 0..<batch {
            copy(state, row * width, to: all, index * size + order[row] * width, count: width)
          }
        }
      }
      count = states.count * size
    }
    return Tensor(scalars, shape: [states.count, batch, width])
  }

  private func copy(
    _ from: UnsafeBufferPointer<Float>, _ first: Int, to: UnsafeMutableBufferPointer<Float>, _ place: Int, count: Int
  ) {
    guard count > 0 else { return }
    (to.baseAddress! + place).initialize(from: from.baseAddress! + first, count: count)
  }
}
