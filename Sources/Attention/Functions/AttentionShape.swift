/// The order of axes of queries, keys, values and output in memory.
public enum AttentionLayout: String, Sendable, CaseIterable {
  /// `[batch, heads, sequence, dimension]`.
  case bhsd
  /// `[batch, sequence, heads, dimension]`, as a projection leaves them.
  case bshd
}

/// How far apart, in elements, neighbours along an axis lie. The last axis, the dimension, is contiguous.
public struct AttentionStrides: Sendable, Equatable {
  /// From one sequence of the batch to the next.
  public var batch: Int
  /// From one head to the next.
  public var head: Int
  /// From one position to the next.
  public var row: Int

  /// Strides in elements.
  public init(batch: Int, head: Int, row: Int) {
    self.batch = batch
    self.head = head
    self.row = row
  }

  /// The strides of a contiguous array.
  public init(layout: AttentionLayout, heads: Int, length: Int, dimension: Int) {
    switch layout {
    case .bhsd: self.init(batch: heads &* length &* dimension, head: length &* dimension, row: dimension)
    case .bshd: self.init(batch: heads &* length &* dimension, head: dimension, row: heads &* dimension)
    }
  }
}

/// The sizes of one attention problem, and where its rows lie in memory.
///
/// Query head h reads key/value head h ÷ (queryHeads ÷ keyHeads): 1 key head is multi-query attention (Shazeer 2019,
/// arXiv:1911.02150), fewer key heads than query heads grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245).
public struct AttentionShape: Sendable, Equatable {
  /// B, the number of sequences.
  public let batch: Int
  /// H, the number of query heads: a multiple of ``keyHeads``.
  public let queryHeads: Int
  /// G, the number of key/value heads.
  public let keyHeads: Int
  /// Sq, the number of queries in a sequence.
  public let queryLength: Int
  /// Sk, the number of keys in a sequence.
  public let keyLength: Int
  /// D, the dimension of a query and a key.
  public let headDimension: Int
  /// Dv, the dimension of a value and of an output.
  public let valueDimension: Int

  /// Of the queries [B, H, Sq, D].
  public var queryStrides: AttentionStrides
  /// Of the keys [B, G, Sk, D].
  public var keyStrides: AttentionStrides
  /// Of the values [B, G, Sk, Dv].
  public var valueStrides: AttentionStrides
  /// Of the output [B, H, Sq, Dv].
  public var outputStrides: AttentionStrides

  /// A shape of contiguous arrays in one layout. `keyHeads` defaults to `queryHeads`, `keyLength` to `queryLength`,
  /// `valueDimension` to `headDimension`.
  public init(
    batch: Int, queryHeads: Int, keyHeads: Int? = nil, queryLength: Int, keyLength: Int? = nil, headDimension: Int,
    valueDimension: Int? = nil, layout: AttentionLayout = .bhsd
  ) {
    self.batch = batch
    self.queryHeads = queryHeads
    self.keyHeads = keyHeads ?? queryHeads
    self.queryLength = queryLength
    self.keyLength = keyLength ?? queryLength
    self.headDimension = headDimension
    self.valueDimension = valueDimension ?? headDimension
    queryStrides = AttentionStrides(
      layout: layout, heads: queryHeads, length: queryLength, dimension: headDimension)
    keyStrides = AttentionStrides(
      layout: layout, heads: self.keyHeads, length: self.keyLength, dimension: headDimension)
    valueStrides = AttentionStrides(
      layout: layout, heads: self.keyHeads, length: self.keyLength, dimension: self.valueDimension)
    outputStrides = AttentionStrides(
      layout: layout, heads: queryHeads, length: queryLength, dimension: self.valueDimension)
  }
}

extension AttentionShape {
  /// The extents of a mask or bias, [B, H, Sq, Sk].
  var pairs: SIMD4<Int> { SIMD4(batch, queryHeads, queryLength, keyLength) }

  /// The extents of the log-sum-exp, [B, H, Sq, 1].
  var rows: SIMD4<Int> { SIMD4(batch, queryHeads, queryLength, 1) }
}

extension AttentionShape: CustomStringConvertible {
  /// Such as `queries [1, 8, 128, 64], keys [1, 8, 128, 64], values [1, 8, 128, 64]`.
  public var description: String {
    """
    queries [\(batch), \(queryHeads), \(queryLength), \(headDimension)], \
    keys [\(batch), \(keyHeads), \(keyLength), \(headDimension)], \
    values [\(batch), \(keyHeads), \(keyLength), \(valueDimension)]
    """
  }
}
