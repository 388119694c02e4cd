import BenchmarkSupport

/// What a run of `memory` measures.
struct MemorySettings: Encodable {
  let type = ElementType.float32
  let heads: Int
  let dimension: Int
  let isCausal: Bool
  let lengths: [Int]
  let threads: Int
  let instructionSet: String
  let repetitions: Int
  let naiveLimitBytes: Int

  /// What is measured at a length: naive only where its scores, S × S of one head at a time, are within the limit.
  func implementations(length: Int) -> [Implementation] {
    MemoryLayout<Float>.size * length * length <= naiveLimitBytes ? [.fused, .naive] : [.fused]
  }
}

/// What was measured of one computation at one length, each repetition in a process of its own.
struct MemoryResult: Encodable {
  let implementation: Implementation
  let length: Int
  /// Of queries, keys, values and output.
  let argumentBytes: Int
  /// Peak resident memory above that of a process that holds inputs and output.
  let extraBytes: Summary
  let baselineBytes: Summary
  let plannedBytes: Int
  /// Of a process's first call.
  let seconds: Summary
}
