/// Sentences of unequal lengths side by side, the longest first.
///
/// The same numbers in two forms: padded, [B, T] with the lengths, and packed, row after row without padding.
///
/// ```swift
/// let batch = SentenceBatch([[7, 8], [5, 6, 9]])
/// batch.ids        // [[5, 6, 9], [7, 8, 0]]
/// batch.lengths    // [3, 2]
/// batch.restored(batch.lengths)  // [2, 3]
/// ```
public struct SentenceBatch: Sendable, Equatable {
  /// [B][T]; beyond a sentence's end `Vocabulary.padding`.
  public let ids: [[Int]]
  /// How many tokens each row has, [B].
  public let lengths: [Int]
  /// Row b holds sentence order[b] of those that were given, [B].
  public let order: [Int]

  /// B, the number of sentences.
  public var count: Int { ids.count }
  /// T, the length of the longest.
  public var maximumLength: Int { ids.first?.count ?? 0 }
  /// How many tokens there are without padding.
  public var tokenCount: Int { lengths.reduce(0, +) }

  /// A batch of sentences, sorted by length, the longest first; of equal lengths, in the order given.
  public init(_ sentences: [[Int]]) {
    let order = sentences.indices.sorted {
      sentences[$0].count != sentences[$1].count ? sentences[$0].count > sentences[$1].count : $0 < $1
    }
    self.init(sentences, order: order)
  }

  /// A batch in a given order, in which the lengths need not fall: for the other side of sorted pairs.
  public init(_ sentences: [[Int]], order: [Int]) {
    require(
      order.sorted() == Array(sentences.indices),
      "SentenceBatch: expected an order of \(sentences.count) sentences, got \(order)")
    let length = sentences.map(\.count).max() ?? 0
    self.order = order
    lengths = order.map { sentences[$0].count }
    ids = order.map { sentences[$0] + Array(repeating: Vocabulary.padding, count: length - sentences[$0].count) }
  }

  /// All rows without padding, one behind the other, [tokenCount].
  public var packed: [Int] { zip(ids, lengths).flatMap { $0.prefix($1) } }

  /// Where each row begins in `packed`, and where the last one ends: [B + 1], from 0 to tokenCount.
  public var rowStarts: [Int] {
    var starts = [0]
    for length in lengths { starts.append(starts[starts.count - 1] + length) }
    return starts
  }

  /// How many rows have a token at each step, [T]: when the lengths fall, the first so many rows. PyTorch:
  /// `batch_sizes` of a packed sequence.
  public var rowsAtStep: [Int] {
    (0..<maximumLength).map { step in lengths.count { $0 > step } }
  }

  /// What belongs to the rows, in the order in which the sentences were given.
  public func restored<Element>(_ rows: [Element]) -> [Element] {
    require(rows.count == count, "SentenceBatch: expected \(count) rows, got \(rows.count)")
    var places = order
    for (row, sentence) in order.enumerated() { places[sentence] = row }
    return places.map { rows[$0] }
  }
}
