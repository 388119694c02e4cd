/// How often each run of n elements occurs.
struct NGramCounts<Element: Hashable & Sendable>: Sendable {
  private(set) var counts: [ArraySlice<Element>: Int] = [:]
  /// All occurrences.
  private(set) var total = 0

  init() {}

  init(_ elements: [Element], order: Int) {
    guard elements.count >= order else { return }
    total = elements.count - order + 1
    counts.reserveCapacity(total)
    for start in 0..<total { counts[elements[start..<start + order], default: 0] += 1 }
  }

  /// Occurrences here that are matched by one of the other's each.
  func matches(in other: Self) -> Int {
    counts.reduce(0) { $0 + min($1.value, other.counts[$1.key] ?? 0) }
  }

  /// Of each run the larger count.
  mutating func formUnion(_ other: Self) {
    counts.merge(other.counts, uniquingKeysWith: max)
    total = counts.values.reduce(0, +)
  }
}
