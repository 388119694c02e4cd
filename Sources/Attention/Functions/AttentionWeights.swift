/// The weights of an attention, made when they are asked for:
///
///     α_ij = exp(s_ij − lse_i),  s = the final scores,  lse = their log-sum-exp
///
/// Queries, keys and log-sum-exp are all that is kept: every call makes exact weights of the rows and heads that it
/// names, in memory in proportion to its result. Weights are those before dropout; a row that may attend to nothing is
/// 0; with sinks a row sums to less than 1.
///
/// ```swift
/// let weights = layer.weightsOnDemand(x, keys: x, mask: .causal)
/// let last = weights.matrix(rows: [x.shape[1] - 1], averaged: true)  // [B, 1, 1, Sk]
/// let best = weights.largest(5, heads: [0])                         // five keys for each query of head 0
/// let received = weights.columnSums(averaged: true)                  // [B, 1, Sk]
/// ```
///
/// In every call `rows` are query positions and `heads` query heads, in the order wanted; nil = all. With `averaged`
/// the weights are the mean over those heads. H' is the number of heads chosen, 1 when averaged; R that of rows. A row
/// or head outside the shape stops the program.
public struct AttentionWeights: Sendable {
  private let source: any WeightsSource

  /// Weights from queries [B, H, Sq, D] and keys [B, G, Sk, D].
  ///
  /// - Parameters:
  ///   - queries: [B, H, Sq, D].
  ///   - keys: [B, G, Sk, D].
  ///   - logSumExp: [B, H, Sq] as ``scaledDotProductAttentionWithLogSumExp(queries:keys:values:scale:mask:options:)``
  ///     returned it for these; nil = it is computed here.
  ///   - scale: Multiplies q·k; nil = 1 ÷ √D.
  ///   - mask: Which pairs attend.
  ///   - options: Bias, softcap, ALiBi, sinks, threads.
  public init(
    queries: Tensor, keys: Tensor, logSumExp: Tensor? = nil, scale: Double? = nil, mask: AttentionMask = .none,
    options: AttentionOptions = AttentionOptions()
  ) {
    source = ScoreWeights(
      queries: queries, keys: keys, logSumExp: logSumExp, scale: scale, mask: mask, options: options, ownKeys: 0)
  }

  init(_ source: any WeightsSource) { self.source = source }

  /// B.
  public var batch: Int { source.batch }
  /// H.
  public var heads: Int { source.heads }
  /// Sq.
  public var queryLength: Int { source.queryLength }
  /// Sk.
  public var keyLength: Int { source.keyLength }

  /// The weights, [B, H', R, Sk]. Of all rows and heads, this is the array that fused attention avoids.
  public func matrix(rows: [Int]? = nil, heads: [Int]? = nil, averaged: Bool = false) -> Tensor {
    source.matrix(choice(rows, heads, averaged))
  }

  /// What each key receives: the sum of its weights over the rows, [B, H', Sk], accumulated in `Double`.
  public func columnSums(rows: [Int]? = nil, heads: [Int]? = nil, averaged: Bool = false) -> Tensor {
    source.columnSums(choice(rows, heads, averaged))
  }

  /// The `k` largest weights of each row. NaN counts as larger than any number.
  public func largest(
    _ k: Int, rows: [Int]? = nil, heads: [Int]? = nil, averaged: Bool = false
  ) -> LargestWeights {
    require(k >= 0, "AttentionWeights: \(k) weights a row are asked for")
    return source.largest(k, choice(rows, heads, averaged))
  }

  private func choice(_ rows: [Int]?, _ heads: [Int]?, _ averaged: Bool) -> WeightsChoice {
    require(
      rows?.allSatisfy { 0..<queryLength ~= $0 } ?? true,
      "AttentionWeights: rows \(rows ?? []) of \(queryLength) are asked for")
    require(
      heads?.allSatisfy { 0..<self.heads ~= $0 } ?? true && heads?.count != 0,
      "AttentionWeights: heads \(heads ?? []) of \(self.heads) are asked for")
    return WeightsChoice(rows: rows, heads: heads, averaged: averaged)
  }
}

/// The largest weights of each row.
public struct LargestWeights: Sendable, Equatable {
  /// The keys of the largest weights, [B, H', R, k] row-major: the largest weight first, equal ones by key; nil where
  /// fewer than k weights are above 0.
  public var keys: [Int?]
  /// Their weights, [B, H', R, k]; 0 where there is no key.
  public var weights: Tensor
}

/// Rows and heads that are asked for; nil = all.
struct WeightsChoice {
  var rows, heads: [Int]?
  var averaged: Bool
}

/// What can make weights of a choice, which lies within the sizes.
protocol WeightsSource: Sendable {
  var batch: Int { get }
  var heads: Int { get }
  var queryLength: Int { get }
  var keyLength: Int { get }
  func matrix(_ choice: WeightsChoice) -> Tensor
  func columnSums(_ choice: WeightsChoice) -> Tensor
  func largest(_ k: Int, _ choice: WeightsChoice) -> LargestWeights
}

/// The attention weights themselves: softmax(queries · keysᵀ · scale + …), [B, H, Sq, Sk].
///
/// This makes the Sq × Sk array that fused attention avoids: it is for looking and for small problems; parts of it come
/// from ``AttentionWeights``. Parameters as in ``AttentionWeights/init(queries:keys:logSumExp:scale:mask:options:)``.
public func attentionWeights(
  queries: Tensor, keys: Tensor, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> Tensor {
  AttentionWeights(queries: queries, keys: keys, scale: scale, mask: mask, options: options).matrix()
}
