/// The best `count` tokens of a row of log probabilities, the most probable first; of equal ones, the smaller number.
///
/// `<pad>` and `<s>` are never among them, nor are tokens of probability 0 or NaN.
func bestTokens(of row: ArraySlice<Float>, count: Int) -> [(token: Int, logProbability: Float)] {
  var best: [(token: Int, logProbability: Float)] = []
  best.reserveCapacity(min(count, row.count) + 1)
  // What a token must exceed; comparison with NaN is false.
  var bar = -Float.infinity
  row.withUnsafeBufferPointer { row in
    for token in row.indices where row[token] > bar {
      if token == Vocabulary.padding || token == Vocabulary.start { continue }
      let place = best.lastIndex { $0.logProbability >= row[token] }.map { $0 + 1 } ?? 0
      best.insert((token, row[token]), at: place)
      if best.count > count { best.removeLast() }
      if best.count == count { bar = best[count - 1].logProbability }
    }
  }
  return best
}
