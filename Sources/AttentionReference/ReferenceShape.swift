/// The sizes of one attention problem.
///
/// All arrays are dense and row-major: queries [B, H, Sq, D], keys [B, G, Sk, D], values [B, G, Sk, Dv], output [B,
/// H, Sq, Dv], log-sum-exp [B, H, Sq]. B, Sq and Sk may be 0: B = 0 and Sq = 0 give empty results, Sk = 0 gives rows
/// that attend to nothing. H, G, D and Dv are at least 1, and H is a multiple of G: query head h reads key/value head
/// h ÷ (H ÷ G) (grouped-query attention, Ainslie et al. 2023, arXiv:2305.13245).
public struct ReferenceShape: Sendable, Equatable {
  /// B, the number of batches.
  public var batch: Int
  /// H, the number of query heads.
  public var queryHeads: Int
  /// G, the number of key and value heads.
  public var keyHeads: Int
  /// Sq, the number of queries of a head.
  public var queryLength: Int
  /// Sk, the number of keys of a head.
  public var keyLength: Int
  /// D, the size of a query and of a key.
  public var headDimension: Int
  /// Dv, the size of a value and of an output row.
  public var valueDimension: Int

  /// The shape with these sizes. They are checked where the shape is used.
  public init(
    batch: Int, queryHeads: Int, keyHeads: Int, queryLength: Int, keyLength: Int, headDimension: Int,
    valueDimension: Int
  ) {
    self.batch = batch
    self.queryHeads = queryHeads
    self.keyHeads = keyHeads
    self.queryLength = queryLength
    self.keyLength = keyLength
    self.headDimension = headDimension
    self.valueDimension = valueDimension
  }

  /// The key and value head that a query head reads.
  func keyHead(ofQueryHead h: Int) -> Int { h / (queryHeads / keyHeads) }
}
