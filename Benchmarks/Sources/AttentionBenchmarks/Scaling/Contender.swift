import Attention

/// One way to compute a shape, with the samples that were taken of it so far.
struct Contender {
  let isCausal: Bool
  let instructionSet: String
  let threads: Int
  let kernel: String
  let flops: Double
  let peak: Peak?

  var callsPerSample = 1
  var maximumDifference = 0.0
  /// Seconds a call.
  var times: [Double] = []
  /// FLOP/s, one sample right after each of `times`.
  var peaks: [Double] = []

  init(shape: AttentionShape, isCausal: Bool, instructionSet: String, threads: Int, settings: ScalingSettings) throws {
    self.isCausal = isCausal
    self.instructionSet = instructionSet
    self.threads = threads
    kernel = try AttentionPlan(
      shape: shape, type: AttentionScalarType(rawValue: settings.type.rawValue) ?? .float32,
      mask: isCausal ? .causal : .none, options: AttentionOptions(threads: threads, instructionSet: instructionSet)
    ).kernel
    let length = Double(shape.queryLength)
    let pairs = isCausal ? length * (length + 1) / 2 : length * length
    flops = pairs * 2 * Double(shape.headDimension + shape.valueDimension) * Double(shape.queryHeads)
    peak = Peak(instructionSet: instructionSet, bits: settings.bits)
  }

  var options: AttentionOptions { AttentionOptions(threads: threads, instructionSet: instructionSet) }
}
