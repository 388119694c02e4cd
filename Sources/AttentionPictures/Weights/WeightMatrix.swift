import Attention

/// Attention weights of one head with the names of their queries and keys: what a picture shows.
///
/// Row i holds the weights α_ij of query i over the keys j, in general between 0 and 1 with sum 1. Other numbers can be
/// drawn too; what is not finite is marked as such.
///
/// ```swift
/// let weights = WeightMatrix(tensor, queryLabels: ["爱"], keyLabels: ["我", "爱", "中国"])
/// print(weights.terminalBars(query: 0))
/// ```
public struct WeightMatrix: Sendable, Equatable {
  /// The weights, [queries, keys] row-major.
  public let scalars: [Float]
  /// Sq, the number of rows.
  public let queries: Int
  /// Sk, the number of columns.
  public let keys: Int
  /// A name for each query; its index unless given.
  public let queryLabels: [String]
  /// A name for each key; its index unless given.
  public let keyLabels: [String]
  /// What stands above the picture.
  public var title: String?

  /// Weights with their labels. Stops when the counts do not fit together.
  ///
  /// - Parameters:
  ///   - scalars: queries · keys numbers, row-major.
  ///   - queries: Sq.
  ///   - keys: Sk.
  ///   - queryLabels: Sq names; nil = the indices from 0.
  ///   - keyLabels: Sk names; nil = the indices from 0.
  ///   - title: What stands above the picture.
  public init(
    _ scalars: [Float], queries: Int, keys: Int, queryLabels: [String]? = nil, keyLabels: [String]? = nil,
    title: String? = nil
  ) {
    let (count, overflow) = queries.multipliedReportingOverflow(by: keys)
    require(
      queries >= 0 && keys >= 0 && !overflow && count == scalars.count,
      "WeightMatrix: expected \(queries) × \(keys) weights, got \(scalars.count)")
    checkLabels("WeightMatrix", queryLabels, keyLabels, queries: queries, keys: keys)
    self.scalars = scalars
    self.queries = queries
    self.keys = keys
    self.queryLabels = queryLabels ?? (0..<queries).map(String.init)
    self.keyLabels = keyLabels ?? (0..<keys).map(String.init)
    self.title = title
  }

  /// The weights [Sq, Sk] of a tensor, or [Sk] of one query. For more axes see ``WeightStack``.
  public init(
    _ weights: Tensor, queryLabels: [String]? = nil, keyLabels: [String]? = nil, title: String? = nil
  ) {
    require(1...2 ~= weights.rank, "WeightMatrix: expected weights [Sq, Sk] or [Sk], got \(weights.shape)")
    self.init(
      weights.scalars, queries: weights.rank == 2 ? weights.shape[0] : 1, keys: weights.shape[weights.rank - 1],
      queryLabels: queryLabels, keyLabels: keyLabels, title: title)
  }

  /// The weight of a key for a query.
  public subscript(query: Int, key: Int) -> Float {
    require(
      0..<queries ~= query && 0..<keys ~= key,
      "WeightMatrix: query \(query), key \(key) are outside \(queries) × \(keys)")
    return scalars[query * keys + key]
  }

  /// Whether there is nothing to draw.
  public var isEmpty: Bool { scalars.isEmpty }

  /// A part: some neighbouring queries and keys with their labels.
  public func part(queries rows: Range<Int>, keys columns: Range<Int>) -> WeightMatrix {
    require(
      rows.lowerBound >= 0 && rows.upperBound <= queries && columns.lowerBound >= 0 && columns.upperBound <= keys,
      "WeightMatrix: queries \(rows) and keys \(columns) are not all within \(queries) × \(keys)")
    return WeightMatrix(
      rows.flatMap { scalars[$0 * keys + columns.lowerBound..<$0 * keys + columns.upperBound] },
      queries: rows.count, keys: columns.count, queryLabels: Array(queryLabels[rows]),
      keyLabels: Array(keyLabels[columns]), title: title)
  }
}

/// Stops when labels are not as many as what they name.
func checkLabels(_ type: String, _ queryLabels: [String]?, _ keyLabels: [String]?, queries: Int, keys: Int) {
  for (name, labels, count) in [("query", queryLabels, queries), ("key", keyLabels, keys)] {
    guard let labels else { continue }
    require(
      labels.count == count,
      "\(type): expected \(count) \(name) labels for weights [\(queries), \(keys)], got \(labels.count)")
  }
}
