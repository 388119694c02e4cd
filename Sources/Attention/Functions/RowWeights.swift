/// Weights of one head that are more than a softmax of scores: a function makes those of the rows asked for.
struct RowWeights: WeightsSource {
  let batch, queryLength, keyLength: Int
  /// From rows to [B, R, Sk].
  let make: @Sendable ([Int]) -> Tensor

  var heads: Int { 1 }

  func matrix(_ choice: WeightsChoice) -> Tensor {
    let rows = rows(choice)
    return make(rows).reshaped(to: [batch, 1, rows.count, keyLength])
  }

  func columnSums(_ choice: WeightsChoice) -> Tensor {
    var sums = [Double](repeating: 0, count: batch * keyLength)
    forEachLine(rows(choice)) { b, _, weights in
      for (key, weight) in weights.enumerated() { sums[b * keyLength + key] += Double(weight) }
    }
    return Tensor(sums.map { Float($0) }, shape: [batch, 1, keyLength])
  }

  func largest(_ k: Int, _ choice: WeightsChoice) -> LargestWeights {
    let rows = rows(choice)
    var keys = [Int?](repeating: nil, count: batch * rows.count * k)
    var largest = [Float](repeating: 0, count: keys.count)
    forEachLine(rows) { b, r, weights in
      let candidates = weights.enumerated().filter { $0.element > 0 || $0.element.isNaN }
      let ranked = candidates.sorted { isBefore($0, $1) }.prefix(k)
      for (place, (key, weight)) in ranked.enumerated() {
        keys[(b * rows.count + r) * k + place] = key
        largest[(b * rows.count + r) * k + place] = weight
      }
    }
    return LargestWeights(keys: keys, weights: Tensor(largest, shape: [batch, 1, rows.count, k]))
  }

  private func isBefore(_ a: (offset: Int, element: Float), _ b: (offset: Int, element: Float)) -> Bool {
    if a.element.isNaN != b.element.isNaN { return a.element.isNaN }
    if a.element != b.element, !a.element.isNaN { return a.element > b.element }
    return a.offset < b.offset
  }

  private func rows(_ choice: WeightsChoice) -> [Int] {
    require(
      choice.heads.map { $0.count == 1 } ?? true, "AttentionWeights: heads \(choice.heads ?? []) of 1 are asked for")
    return choice.rows ?? Array(0..<queryLength)
  }

  /// Calls body with the weights of each row of each sequence, and with its place among the rows asked for; a few rows
  /// are made at a time.
  private func forEachLine(_ rows: [Int], _ body: (_ batch: Int, _ row: Int, _ weights: ArraySlice<Float>) -> Void) {
    for first in stride(from: 0, to: rows.count, by: 64) {
      let part = Array(rows[first..<min(first + 64, rows.count)])
      let weights = make(part).scalars
      for line in 0..<batch * part.count {
        body(line / part.count, first + line % part.count, weights[line * keyLength..<(line + 1) * keyLength])
      }
    }
  }
}

extension RowWeights {
  /// Of rows that may be computed apart from each other: `make` takes the queries [B, R, Hq] of the rows asked for and
  /// the mask over these.
  init(
    _ inputs: AlignmentInputs, _ mask: AttentionMask,
    make: @escaping @Sendable (_ queries: Tensor, _ mask: AttentionMask) -> Tensor
  ) {
    self.init(batch: inputs.batch, queryLength: inputs.queryLength, keyLength: inputs.keyLength) { rows in
      make(
        inputs.queries.choosing(rows: rows),
        mask.choosing(
          rows: rows, batch: inputs.batch, queryLength: inputs.queryLength, keyLength: inputs.keyLength))
    }
  }
}
