/// Learns merges. Counts of pairs are kept up to date: a merge touches only the runs in which its pair occurs.
struct BytePairLearner {
  /// Distinct runs in the order of their first occurrence.
  private var runs: [[Int32]] = []
  private var counts: [Int] = []
  private var indices: [[Int32]: Int] = [:]
  private var symbols = PieceSymbols()

  /// Counts one more occurrence of a run.
  mutating func add(_ run: [Unicode.Scalar]) {
    let run = run.map { symbols.number(of: String($0)) }
    if let index = indices[run] {
      counts[index] += 1
    } else {
      indices[run] = runs.count
      runs.append(run)
      counts.append(1)
    }
  }

  /// The merges in order.
  mutating func learn(mergeCount: Int, minimumPairCount: Int) -> [BytePairTokenizer.Merge] {
    var pairCounts: [UInt64: Int] = [:]
    // May name runs that no longer hold the pair.
    var places: [UInt64: Set<Int>] = [:]
    for (index, run) in runs.enumerated() {
      for key in Self.pairs(of: run) {
        pairCounts[key, default: 0] += counts[index]
        places[key, default: []].insert(index)
      }
    }
    var queue = PairQueue()
    for (key, count) in pairCounts { queue.push(entry(key, count)) }

    var merges: [BytePairTokenizer.Merge] = []
    var ranks: [UInt64: (rank: Int, merged: Int32)] = [:]
    while merges.count < mergeCount, let best = queue.pop() {
      // A count that has changed was pushed again.
      guard pairCounts[best.key] == best.count else { continue }
      guard best.count >= minimumPairCount else { break }
      merges.append(.init(best.left, best.right))
      ranks[best.key] = (ranks.count, symbols.number(of: best.left + best.right))
      var changed: Set<UInt64> = []
      for index in places.removeValue(forKey: best.key) ?? [] {
        for key in Self.pairs(of: runs[index]) {
          pairCounts[key]! -= counts[index]
          changed.insert(key)
        }
        runs[index] = Self.merging(ranks, in: runs[index])
        for key in Self.pairs(of: runs[index]) {
          pairCounts[key, default: 0] += counts[index]
          places[key, default: []].insert(index)
          changed.insert(key)
        }
      }
      pairCounts[best.key] = nil
      for key in changed {
        guard let count = pairCounts[key] else { continue }
        if count > 0 { queue.push(entry(key, count)) } else { pairCounts[key] = nil }
      }
    }
    return merges
  }

  private func entry(_ key: UInt64, _ count: Int) -> PairQueue.Entry {
    PairQueue.Entry(
      count: count, key: key, left: symbols.pieces[Int(key >> 32)], right: symbols.pieces[Int(key & 0xFFFF_FFFF)])
  }

  /// The pairs of neighbours; of three equal symbols in a row, two of which can be merged, one pair, and so on.
  private static func pairs(of run: [Int32]) -> [UInt64] {
    var pairs: [UInt64] = []
    var lastWasCounted = false
    for index in run.indices.dropFirst() {
      let overlaps = lastWasCounted && index > 1 && run[index] == run[index - 1] && run[index - 1] == run[index - 2]
      if !overlaps { pairs.append(PieceSymbols.key(run[index - 1], run[index])) }
      lastWasCounted = !overlaps
    }
    return pairs
  }

  /// The run after all merges that apply, the earliest first: one may apply again, since a piece can be made in several
  /// ways.
  private static func merging(_ ranks: [UInt64: (rank: Int, merged: Int32)], in run: [Int32]) -> [Int32] {
    var run = run
    while true {
      var best: (pair: UInt64, rank: Int, merged: Int32)?
      for index in run.indices.dropFirst() {
        let key = PieceSymbols.key(run[index - 1], run[index])
        if let found = ranks[key], found.rank < best?.rank ?? .max { best = (key, found.rank, found.merged) }
      }
      guard let best else { return run }
      var result: [Int32] = []
      result.reserveCapacity(run.count)
      for symbol in run {
        if let last = result.last, PieceSymbols.key(last, symbol) == best.pair {
          result[result.count - 1] = best.merged
        } else {
          result.append(symbol)
        }
      }
      run = result
    }
  }
}

/// A binary heap of pairs, the most frequent first, equally frequent ones in the order of their pieces.
struct PairQueue {
  struct Entry {
    var count: Int
    var key: UInt64
    var left, right: String

    func precedes(_ other: Entry) -> Bool {
      if count != other.count { return count > other.count }
      return left != other.left ? left < other.left : right < other.right
    }
  }

  private var entries: [Entry] = []

  mutating func push(_ entry: Entry) {
    entries.append(entry)
    var index = entries.count - 1
    while index > 0, entries[index].precedes(entries[(index - 1) / 2]) {
      entries.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func pop() -> Entry? {
    guard let first = entries.first else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first }
    entries[0] = last
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
      guard entries[child].precedes(entries[index]) else { break }
      entries.swapAt(index, child)
      index = child
    }
    return first
  }
}
