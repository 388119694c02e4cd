import BenchmarkSupport

/// What was measured of one contender: one shape on one instruction set with one number of threads.
///
/// Ratios are medians of ratios within a round, not ratios of medians.
struct ScalingResult: Encodable {
  let length: Int
  let dimension: Int
  let isCausal: Bool
  let instructionSet: String
  let kernel: String
  let threads: Int

  /// Of the visible pairs, 2·(D + Dv) each.
  let flops: Double
  let callsPerSample: Int
  let seconds: Summary
  let gigaflops: Summary

  let peakOperation: String?
  let peakGigaflops: Summary?
  let shareOfPeak: Summary?

  let speedUpOverOneThread: Summary?
  let naiveSeconds: Summary?
  let speedUpOverNaive: Summary?

  /// Largest |fused − naive| over the elements that were compared.
  let maximumDifference: Double
  let comparedElements: Int
}
