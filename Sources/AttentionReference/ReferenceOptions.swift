/// What an attention problem asks for beyond the plain formula. Every option is off by default.
///
/// The order is fixed: scale·q·k, then the cap, then bias and ALiBi, then the mask, then the softmax with the sink,
/// then dropout. Query i stands at position i + offset among the keys; causal masking, the window and ALiBi read that
/// position.
public struct ReferenceOptions: Sendable {
  /// Multiplies q·k: any finite value, 0 and negative too. Nil is 1/√D (Vaswani et al. 2017, arXiv:1706.03762), and 1
  /// of additive scores.
  public var scale: Double?
  /// w, [D], or [H, D] with one for each head: ⟨w_h, tanh(q_i + k_j)⟩ then stands where ⟨q_i, k_j⟩ does, of queries and
  /// keys that are projected already: additive attention (Bahdanau et al. 2015, arXiv:1409.0473).
  public var additive: [Double]?
  /// c: a score s becomes c·tanh(s/c) (Gemma 2, arXiv:2408.00118). 0 is no cap; negative values are refused.
  public var softcap: Double
  /// Key j is visible to query i only when j ≤ i + offset.
  public var causal: Bool
  /// The offset: none is 0, one element holds for every batch, otherwise one per batch, within ±2^62. Alignments such
  /// as bottom-right (Sk − Sq) are worked out by the caller.
  public var queryOffsets: [Int]
  /// Key j is visible to query i only when j ≥ i + offset − left. Nil is unbounded; at least 0.
  public var windowLeft: Int?
  /// Key j is visible to query i only when j ≤ i + offset + right. Nil is unbounded; at least 0.
  public var windowRight: Int?
  /// [B], each in 0...Sk: in batch b, only keys before keyLengths[b] are visible.
  public var keyLengths: [Int]?
  /// Broadcast to [B, H, Sq, Sk]: only pairs that hold true are visible.
  public var mask: ReferenceBroadcast<Bool>?
  /// Broadcast to [B, H, Sq, Sk], added to the capped score.
  public var bias: ReferenceBroadcast<Double>?
  /// [H]: slope·|i + offset − j| is taken off the score (Press et al. 2021, arXiv:2108.12409). See
  /// ``alibiSlopes(heads:)``.
  public var alibiSlopes: [Double]?
  /// [H]: a logit of each head that takes part in the denominator and has no value (Xiao et al. 2023, arXiv:2309.17453;
  /// learned as in gpt-oss).
  public var sinks: [Double]?
  /// p in [0, 1): the probability that a weight is dropped. See ``isDropped(batch:head:query:key:probability:seed:)``.
  public var dropoutProbability: Double
  /// Decides which weights are dropped.
  public var dropoutSeed: UInt64

  /// Options with everything off that is not given.
  public init(
    scale: Double? = nil, additive: [Double]? = nil, softcap: Double = 0, causal: Bool = false,
    queryOffsets: [Int] = [], windowLeft: Int? = nil,
    windowRight: Int? = nil, keyLengths: [Int]? = nil, mask: ReferenceBroadcast<Bool>? = nil,
    bias: ReferenceBroadcast<Double>? = nil, alibiSlopes: [Double]? = nil, sinks: [Double]? = nil,
    dropoutProbability: Double = 0, dropoutSeed: UInt64 = 0
  ) {
    self.scale = scale
    self.additive = additive
    self.softcap = softcap
    self.causal = causal
    self.queryOffsets = queryOffsets
    self.windowLeft = windowLeft
    self.windowRight = windowRight
    self.keyLengths = keyLengths
    self.mask = mask
    self.bias = bias
    self.alibiSlopes = alibiSlopes
    self.sinks = sinks
    self.dropoutProbability = dropoutProbability
    self.dropoutSeed = dropoutSeed
  }

  /// The scale in force for a head dimension.
  func scale(headDimension: Int) -> Double {
    scale ?? (additive == nil ? 1 / Double(headDimension).squareRoot() : 1)
  }

  /// Where w_h begins in `additive`, whose rows have D numbers.
  func additiveRow(head h: Int, headDimension D: Int) -> Int { additive?.count == D ? 0 : h * D }
}
