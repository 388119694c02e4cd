import Attention
import Safetensors

extension InputProblem {
  /// The weights [B, H, Sq, Sk] by the fused kernels, rounded to Float.
  func weights() throws(CommandFailure) -> [Float] {
    do throws(AttentionError) {
      switch type {
      case .float32: return try weights(as: Float.self)
      case .float64: return try weights(as: Double.self)
      case .bfloat16: return try weights(as: BFloat16.self)
      case .float16:
        #if os(macOS) && arch(x86_64)
          throw AttentionError(.type, "F16 is not available on Intel Macs")
        #else
          return try weights(as: Float16.self)
        #endif
      }
    } catch {
      throw .badInput(file, error)
    }
  }

  private func weights<Scalar: AttentionScalar>(as type: Scalar.Type) throws(AttentionError) -> [Float] {
    let rows = shape.batch * shape.queryHeads * shape.queryLength
    let (queries, keys, values) = (
      query.elements(as: Scalar.self), key.elements(as: Scalar.self), value.elements(as: Scalar.self)
    )
    // The log-sum-exp comes with an output, which nothing else needs.
    var output = [Scalar](
      unsafeUninitializedCapacity: rows * shape.valueDimension
    ) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
      initialized = rows * shape.valueDimension
    }
    var logSumExp = [Scalar.Compute](repeating: 0, count: rows)
    var outputSpan = output.mutableSpan
    var rowSpan = logSumExp.mutableSpan
    try scaledDotProductAttention(
      queries: queries.span, keys: keys.span, values: values.span, into: &outputSpan, logSumExp: &rowSpan,
      shape: shape, scale: scale, mask: mask, options: options)
    var weights = [Scalar.Compute](repeating: 0, count: rows * shape.keyLength)
    var span = weights.mutableSpan
    try attentionMatrix(
      queries: queries.span, keys: keys.span, into: &span, logSumExp: logSumExp.span, shape: shape, scale: scale,
      mask: mask, options: options)
    return weights.map { Float($0) }
  }
}
