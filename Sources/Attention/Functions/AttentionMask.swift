/// Where query i stands among the keys when the numbers of queries and keys differ: at position i + offset.
public enum CausalAlignment: Sendable, Equatable {
  /// Offset 0: the first query stands at the first key.
  case topLeft
  /// Offset Sk − Sq: the last query stands at the last key.
  case bottomRight
}

/// Which keys each query may attend to. Masks compose with `&`: a pair attends when every part lets it.
///
/// ```swift
/// let mask: AttentionMask = .causal & .keyLengths([128, 90])
/// let local: AttentionMask = .window(left: 256, right: 0) & .aligned(.bottomRight)
/// ```
///
/// `true` means "attend" throughout; loaders of the opposite convention say so in their name, like
/// ``init(torchKeyPaddingMask:batch:keyLength:)``. Causal parts, windows and lengths cost nothing: their bounds are
/// computed, and tiles of keys outside them are skipped.
public struct AttentionMask: Sendable, Equatable {
  enum Alignment: Sendable, Equatable {
    case topLeft, bottomRight
    case offset(Int)
    case offsets([Int])
  }

  struct Dense: Sendable, Equatable {
    var attend: [Bool]
    var shape: [Int]
  }

  var isCausal = false
  var alignment: Alignment?
  var windowLeft: Int?
  var windowRight: Int?
  var lengths: [Int]?
  var dense: Dense?

  private init() {}

  /// Every query attends to every key.
  public static let none = AttentionMask()

  /// Key j is visible to query i when j ≤ i. For as many queries as keys; otherwise give an alignment or an offset.
  public static let causal: AttentionMask = {
    var mask = AttentionMask()
    mask.isCausal = true
    return mask
  }()

  /// Key j is visible to query i when j ≤ i + offset, with the offset that `alignment` names.
  public static func causal(_ alignment: CausalAlignment) -> AttentionMask { .causal & .aligned(alignment) }

  /// Key j is visible to query i when j ≤ i + queryOffset, as for queries that continue a cache of keys.
  public static func causal(queryOffset: Int) -> AttentionMask { .causal & .aligned(queryOffset: queryOffset) }

  /// Key j is visible to query i of sequence b when j ≤ i + queryOffsets[b].
  public static func causal(queryOffsets: [Int]) -> AttentionMask { .causal & .aligned(queryOffsets: queryOffsets) }

  /// No mask by itself: the offset that a causal part, a window and ALiBi of the same problem count from.
  public static func aligned(_ alignment: CausalAlignment) -> AttentionMask {
    .aligned(by: alignment == .topLeft ? .topLeft : .bottomRight)
  }

  /// The same with an offset for all sequences: query i stands at position i + queryOffset.
  public static func aligned(queryOffset: Int) -> AttentionMask { .aligned(by: .offset(queryOffset)) }

  /// The same with an offset a sequence.
  public static func aligned(queryOffsets: [Int]) -> AttentionMask { .aligned(by: .offsets(queryOffsets)) }

  private static func aligned(by alignment: Alignment) -> AttentionMask {
    var mask = AttentionMask()
    mask.alignment = alignment
    return mask
  }

  /// Key j is visible to query i when i + offset − left ≤ j ≤ i + offset + right; nil leaves a side unbounded. Both
  /// ends are inclusive. The offset is that of the mask this is combined with, otherwise 0.
  public static func window(left: Int?, right: Int?) -> AttentionMask {
    require((left ?? 0) >= 0 && (right ?? 0) >= 0, "AttentionMask: window (\(left ?? 0), \(right ?? 0)) is negative")
    var mask = AttentionMask()
    mask.windowLeft = left
    mask.windowRight = right
    return mask
  }

  /// The keys of sequence b are those before `lengths[b]`; the rest is padding.
  public static func keyLengths(_ lengths: [Int]) -> AttentionMask {
    var mask = AttentionMask()
    mask.lengths = lengths
    return mask
  }

  /// An explicit mask, `true` = attend, of a shape that broadcasts to [B, H, Sq, Sk] as in NumPy.
  public static func boolean(_ attend: [Bool], shape: [Int]) -> AttentionMask {
    require(
      Tensor.count(of: shape) == attend.count && shape.count <= 4,
      "AttentionMask: \(attend.count) elements do not make the shape \(shape) of at most four axes")
    var mask = AttentionMask()
    mask.dense = Dense(attend: attend, shape: shape)
    return mask
  }

  /// Which keys of each sequence are real, `true` = attend, [B, Sk] row-major.
  ///
  /// Where the real keys of every sequence come first, as padding at the end leaves them, this is the same as
  /// ``keyLengths(_:)`` and as cheap.
  public static func keyPadding(_ attend: [Bool], batch: Int, keyLength: Int) -> AttentionMask {
    let mask = AttentionMask.boolean(attend, shape: [batch, 1, 1, keyLength])
    guard !attend.isEmpty else { return .none }
    let lengths = (0..<batch).map { b in attend[b * keyLength..<(b + 1) * keyLength].prefix { $0 }.count }
    let isPrefix = (0..<batch).allSatisfy { b in
      !attend[b * keyLength + lengths[b]..<(b + 1) * keyLength].contains(true)
    }
    return isPrefix ? .keyLengths(lengths) : mask
  }

  /// From the `key_padding_mask` of PyTorch's `nn.MultiheadAttention`, [B, Sk] row-major, where `true` = ignore.
  public init(torchKeyPaddingMask ignored: [Bool], batch: Int, keyLength: Int) {
    self = .keyPadding(ignored.map { !$0 }, batch: batch, keyLength: keyLength)
  }

  /// From the boolean `attn_mask` of PyTorch's `nn.MultiheadAttention`, where `true` = not allowed. (That of
  /// `scaled_dot_product_attention` has `true` = attend: use ``boolean(_:shape:)``.)
  public init(torchAttentionMask forbidden: [Bool], shape: [Int]) {
    self = .boolean(forbidden.map { !$0 }, shape: shape)
  }

  /// What both masks let through. Stops when the two name different alignments or their shapes do not fit.
  public static func & (a: AttentionMask, b: AttentionMask) -> AttentionMask {
    var mask = a
    mask.isCausal = a.isCausal || b.isCausal
    require(
      a.alignment == nil || b.alignment == nil || a.alignment == b.alignment,
      "AttentionMask: cannot combine alignments \(a.alignment!) and \(b.alignment!)")
    mask.alignment = a.alignment ?? b.alignment
    mask.windowLeft = tighter(a.windowLeft, b.windowLeft)
    mask.windowRight = tighter(a.windowRight, b.windowRight)
    if let first = a.lengths, let second = b.lengths {
      require(
        first.count == second.count, "AttentionMask: \(first.count) and \(second.count) key lengths do not combine")
      mask.lengths = zip(first, second).map { min($0, $1) }
    } else {
      mask.lengths = a.lengths ?? b.lengths
    }
    if let first = a.dense, let second = b.dense {
      mask.dense = intersection(first, second)
    } else {
      mask.dense = a.dense ?? b.dense
    }
    return mask
  }

  private static func tighter(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
  }

  private static func intersection(_ a: Dense, _ b: Dense) -> Dense {
    guard let extents = broadcastExtents(a.shape, b.shape),
      let left = try? broadcastStrides("mask", of: a.shape, count: a.attend.count, over: extents),
      let right = try? broadcastStrides("mask", of: b.shape, count: b.attend.count, over: extents)
    else { fatalError("AttentionMask: shapes \(a.shape) and \(b.shape) do not broadcast together") }
    var attend: [Bool] = []
    attend.reserveCapacity(extents[0] * extents[1] * extents[2] * extents[3])
    for batch in 0..<extents[0] {
      for head in 0..<extents[1] {
        for query in 0..<extents[2] {
          for key in 0..<extents[3] {
            let index = SIMD4(batch, head, query, key)
            attend.append(a.attend[(index &* left).wrappedSum()] && b.attend[(index &* right).wrappedSum()])
          }
        }
      }
    }
    return Dense(attend: attend, shape: (0..<4).map { extents[$0] })
  }
}
