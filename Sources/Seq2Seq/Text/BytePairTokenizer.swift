/// Pieces of words, learnt from texts: neighbours that occur together most often are merged, again and again (Sennrich,
/// Haddow, Birch 2016, arXiv:1508.07909). Frequent words are one piece, rare ones several, down to single characters.
///
/// A text is divided into runs of letters, of digits and of ideographs, and single other signs; merges stay within a
/// run. A space belongs to the run behind it, and a run of letters or digits that begins a text has one as well, so
/// that a word's pieces are the same wherever it stands: ` un` `likely` `.` `text(of:)` puts the pieces together, and
/// nothing but the width of spaces is lost.
///
/// ```swift
/// let tokenizer = BytePairTokenizer(learning: texts, mergeCount: 8000)
/// let vocabulary = Vocabulary(counting: texts.map(tokenizer.tokens(of:)))
/// ```
public struct BytePairTokenizer: Sendable, Equatable {
  /// Two neighbouring pieces that become one.
  public struct Merge: Sendable, Hashable {
    /// The piece in front.
    public var left: String
    /// The piece behind.
    public var right: String

    /// The two pieces.
    public init(_ left: String, _ right: String) {
      self.left = left
      self.right = right
    }
  }

  /// The merges, in the order in which they were learnt and are applied.
  public let merges: [Merge]
  /// Whether texts are put into lower case first.
  public let lowercased: Bool
  /// By a pair of symbols: the merge's place and the symbol it makes.
  private let ranks: [UInt64: (rank: Int32, merged: Int32)]
  private let symbols: PieceSymbols

  /// A tokenizer of merges that were learnt before.
  ///
  /// - Throws: `JSONError.malformed` where a piece is neither a single scalar nor made by a merge before it, or a merge
  ///   is there twice.
  public init(merges: [Merge], lowercased: Bool = false) throws(JSONError) {
    var symbols = PieceSymbols()
    var ranks: [UInt64: (rank: Int32, merged: Int32)] = [:]
    ranks.reserveCapacity(merges.count)
    for (rank, merge) in merges.enumerated() {
      var pair: [Int32] = []
      for piece in [merge.left, merge.right] {
        guard piece.unicodeScalars.count == 1 || symbols[piece] != nil else {
          throw .invalid(Tokenizer.self, "merge \(rank): expected pieces made before, found \"\(piece)\"")
        }
        pair.append(symbols.number(of: piece))
      }
      let key = PieceSymbols.key(pair[0], pair[1])
      guard ranks[key] == nil else {
        throw .invalid(Tokenizer.self, "merge \(rank): \"\(merge.left)\" \"\(merge.right)\" is there twice")
      }
      ranks[key] = (Int32(rank), symbols.number(of: merge.left + merge.right))
    }
    self.merges = merges
    self.lowercased = lowercased
    self.ranks = ranks
    self.symbols = symbols
  }

  /// Learns at most `mergeCount` merges, none of a pair that occurs less than `minimumPairCount` times. Of pairs that
  /// are equally frequent, the first in the order of Unicode scalars is merged.
  public init(
    learning texts: some Sequence<String>, mergeCount: Int, minimumPairCount: Int = 2, lowercased: Bool = false
  ) {
    require(
      mergeCount >= 0 && minimumPairCount > 0,
      "BytePairTokenizer: expected merges ≥ 0 and a pair count > 0, got \(mergeCount) and \(minimumPairCount)")
    var learner = BytePairLearner()
    for text in texts {
      for run in PieceRuns.runs(of: text, lowercased: lowercased) { learner.add(run) }
    }
    do {
      try self.init(
        merges: learner.learn(mergeCount: mergeCount, minimumPairCount: minimumPairCount), lowercased: lowercased)
    } catch {
      fatalError("BytePairTokenizer: \(error)")
    }
  }

  /// A text's pieces; none is empty.
  public func tokens(of text: String) -> [String] {
    PieceRuns.runs(of: text, lowercased: lowercased).flatMap(pieces)
  }

  /// The text of pieces.
  public func text(of tokens: [String]) -> String {
    let text = tokens.joined().unicodeScalars
    return String(text.first == " " ? text.dropFirst() : text[...])
  }

  /// The pieces of one run: always the earliest merge that applies, the leftmost first.
  private func pieces(of run: [Unicode.Scalar]) -> [String] {
    var ends = Array(1...run.count)
    var pieces = run.map { symbols[String($0)] ?? -1 }
    func rank(at index: Int) -> (rank: Int32, merged: Int32) {
      guard index + 1 < pieces.count, pieces[index] >= 0, pieces[index + 1] >= 0 else { return (.max, -1) }
      return ranks[PieceSymbols.key(pieces[index], pieces[index + 1])] ?? (.max, -1)
    }
    var applicable = pieces.indices.map(rank)
    while let best = applicable.indices.min(by: { applicable[$0].rank < applicable[$1].rank }),
      applicable[best].rank < .max
    {
      pieces[best] = applicable[best].merged
      ends[best] = ends[best + 1]
      pieces.remove(at: best + 1)
      ends.remove(at: best + 1)
      applicable.remove(at: best + 1)
      applicable[best] = rank(at: best)
      if best > 0 { applicable[best - 1] = rank(at: best - 1) }
    }
    var start = 0
    return ends.map { end in
      defer { start = end }
      return run[start..<end].string
    }
  }

  /// Of equal merges and case.
  public static func == (left: Self, right: Self) -> Bool {
    left.merges == right.merges && left.lowercased == right.lowercased
  }
}

extension BytePairTokenizer: Codable {
  private enum CodingKeys: String, CodingKey { case merges, lowercased }

  /// Reads `{"lowercased": false, "merges": [["t", "h"], …]}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let merges = try container.decode([[String]].self, forKey: .merges)
    if let wrong = merges.firstIndex(where: { $0.count != 2 }) {
      throw JSONError.invalid(Tokenizer.self, "merge \(wrong): expected 2 pieces, found \(merges[wrong].count)")
    }
    try self.init(
      merges: merges.map { Merge($0[0], $0[1]) }, lowercased: try container.decode(Bool.self, forKey: .lowercased))
  }

  /// Writes what `init(from:)` reads.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(merges.map { [$0.left, $0.right] }, forKey: .merges)
    try container.encode(lowercased, forKey: .lowercased)
  }
}
