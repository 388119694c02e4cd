/// What a run of `scaling` measures.
struct ScalingSettings: Encodable {
  let type: ElementType
  let heads: Int
  let lengths: [Int]
  let dimensions: [Int]
  let threads: [Int]
  let instructionSets: [String]
  let causal: [Bool]
  let repetitions: Int
  let naiveLimitSeconds: Double
  /// Calls are repeated until a sample takes this long.
  let sampleSeconds = 0.02

  /// Of the type that is computed in.
  var bits: Int { type == .float64 ? 64 : 32 }
}
