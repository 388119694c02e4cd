import Attention
import AttentionReference
import Safetensors

extension InputProblem {
  /// Runs the oracle on the same problem; results are rounded to the types that the kernels would give.
  func runReference(emitting matrices: EmittedMatrices) -> AttentionResults {
    // Nothing to go through, however many heads or sequences have no queries.
    guard !outputShape.contains(0) else {
      let empty = matrices.isEmpty ? nil : [UInt8]()
      return AttentionResults(
        output: [], logSumExp: [], weights: matrices.contains(.weights) ? empty : nil,
        scores: matrices.contains(.scores) ? empty : nil)
    }
    let inputs = scalars(as: Double.self)
    let result = referenceAttention(
      queries: inputs.queries, keys: inputs.keys, values: inputs.values, shape: referenceShape, options: reference,
      emittingMatrices: !matrices.isEmpty)
    var results = AttentionResults(
      output: encode(inFileOrder(result.output, shape: outputShape), as: type.fileType),
      logSumExp: encode(result.logSumExp, as: type.computeFileType),
      weights: matrices.contains(.weights) ? result.weights.map { encode($0, as: type.computeFileType) } : nil,
      scores: matrices.contains(.scores) ? result.scores.map { encode($0, as: type.computeFileType) } : nil)
    if let outputGradient {
      let gradients = referenceAttentionGradients(
        queries: inputs.queries, keys: inputs.keys, values: inputs.values, outputGradient: ordered(outputGradient),
        shape: referenceShape, options: reference)
      results.gradients = namedGradients(
        queries: encode(inFileOrder(gradients.queries, shape: query.shape), as: type.fileType),
        keys: encode(inFileOrder(gradients.keys, shape: key.shape), as: type.fileType),
        values: encode(inFileOrder(gradients.values, shape: value.shape), as: type.fileType),
        bias: gradients.bias.map { encode($0, as: type.computeFileType) },
        sinks: gradients.sinks.map { encode($0, as: type.computeFileType) })
    }
    return results
  }
}

/// Doubles rounded once, to nearest even, to a floating-point type of files.
func encode(_ numbers: [Double], as type: SafetensorsType) -> [UInt8] {
  switch type {
  case .f64: return bytes(of: numbers)
  case .bf16: return bytes(of: numbers.map { BFloat16(roundedToOdd($0)) })
  case .f16:
    #if os(macOS) && arch(x86_64)
      preconditionFailure("F16 is not available on Intel Macs")
    #else
      return bytes(of: numbers.map { Float16($0) })
    #endif
  default: return bytes(of: numbers.map { Float($0) })
  }
}

/// To Float with ties and all inexact results going to the odd neighbour, so that rounding once more, to fewer bits,
/// equals rounding once (Boldo & Melquiond 2008).
private func roundedToOdd(_ x: Double) -> Float {
  let nearest = Float(x)
  guard x.isFinite, nearest.isFinite, Double(nearest) != x, nearest.bitPattern & 1 == 0 else { return nearest }
  return Double(nearest) < x ? nearest.nextUp : nearest.nextDown
}
