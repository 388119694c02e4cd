/// An additive bias of the scores, in natural-log units, of a shape that broadcasts to [B, H, Sq, Sk] as in NumPy.
public struct AttentionBias: Sendable, Equatable {
  enum Storage: Sendable, Equatable {
    case float([Float])
    case double([Double])
  }

  let storage: Storage
  /// At most four axes.
  public let shape: [Int]

  var count: Int {
    switch storage {
    case .float(let numbers): numbers.count
    case .double(let numbers): numbers.count
    }
  }

  /// A bias in `Float`, for problems in `Float`, `Float16` and ``BFloat16``.
  public init(_ tensor: Tensor) {
    require(tensor.rank <= 4, "AttentionBias: shape \(tensor.shape) has more than four axes")
    storage = .float(tensor.scalars)
    shape = tensor.shape
  }

  /// A bias in `Double`, for problems in `Double`.
  public init(_ scalars: [Double], shape: [Int]) {
    require(
      Tensor.count(of: shape) == scalars.count && shape.count <= 4,
      "AttentionBias: \(scalars.count) numbers do not make the shape \(shape) of at most four axes")
    storage = .double(scalars)
    self.shape = shape
  }
}

/// Dropout of attention weights (Srivastava et al. 2014): a pair is dropped with the given probability, the weights that
/// stay are divided by 1 − probability.
///
/// Whether pair (b, h, i, j) is dropped depends on the seed and these indices alone, through Philox4x32-10 (Salmon et
/// al. 2011): the mask is the same for any number of threads.
public struct AttentionDropout: Sendable, Equatable {
  /// At least 0, below 1.
  public var probability: Double
  /// Names the mask.
  public var seed: UInt64

  /// Dropout with a mask that `seed` names.
  public init(probability: Double, seed: UInt64) {
    self.probability = probability
    self.seed = seed
  }
}

/// What may be added to the scores and weights beyond scale and mask. Everything defaults to "off".
///
/// In order: s = q·k · scale → softcap·tanh(s ÷ softcap) → + bias → − slope·|i + offset − j| → mask → softmax, with
/// exp(sink) added to its denominator → dropout.
public struct AttentionOptions: Sendable, Equatable {
  /// Added to the scores.
  public var bias: AttentionBias?
  /// Bounds the scores: s becomes softcap·tanh(s ÷ softcap) (Gemma 2, arXiv:2408.00118). Positive.
  public var softcap: Double?
  /// A slope for each query head, as made by ``alibiSlopes(heads:)`` (Press et al. 2021, arXiv:2108.12409).
  public var alibiSlopes: [Double]?
  /// A logit for each query head that takes part in the denominator only (Xiao et al. 2023, arXiv:2309.17453).
  public var sinks: [Double]?
  /// Dropout of the weights.
  public var dropout: AttentionDropout?
  /// Number of threads; nil = OpenMP's choice, fewer where the work is not worth them. It changes no bits of the result.
  public var threads: Int?
  /// Name of an instruction set of ``AttentionSystem/instructionSets``; nil = the best, or what `ATTENTION_ISA` names.
  public var instructionSet: String?
  /// Counts the work items as they end, for a display in another thread.
  public var progress: AttentionProgress?

  /// The vectors of additive scores, [H, D] or [D] for all heads; set by ``additiveAttention(queries:keys:values:vector:mask:options:)``.
  var additive: Tensor?

  /// Options, each off by default.
  public init(
    bias: AttentionBias? = nil, softcap: Double? = nil, alibiSlopes: [Double]? = nil, sinks: [Double]? = nil,
    dropout: AttentionDropout? = nil, threads: Int? = nil, instructionSet: String? = nil,
    progress: AttentionProgress? = nil
  ) {
    self.bias = bias
    self.softcap = softcap
    self.alibiSlopes = alibiSlopes
    self.sinks = sinks
    self.dropout = dropout
    self.threads = threads
    self.instructionSet = instructionSet
    self.progress = progress
  }
}
