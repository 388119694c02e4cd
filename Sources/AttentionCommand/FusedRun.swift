import Attention
import Safetensors

/// Results of a problem as the bytes of a file.
struct AttentionResults {
  var output: [UInt8]
  var logSumExp: [UInt8]
  var weights: [UInt8]?
  var scores: [UInt8]?
  var gradients: [Gradient] = []

  /// A gradient by its name in the file.
  struct Gradient {
    var name: String
    var type: SafetensorsType
    var shape: [Int]
    var bytes: [UInt8]
  }
}

/// What `--emit` may name.
struct EmittedMatrices: OptionSet {
  var rawValue: Int
  static let weights = EmittedMatrices(rawValue: 1)
  static let scores = EmittedMatrices(rawValue: 2)
}

extension InputProblem {
  /// Runs the fused kernels on the file's own bytes.
  func runFused(emitting matrices: EmittedMatrices) throws(CommandFailure) -> AttentionResults {
    do throws(AttentionError) {
      switch type {
      case .float32: return try run(as: Float.self, matrices)
      case .float64: return try run(as: Double.self, matrices)
      case .bfloat16: return try run(as: BFloat16.self, matrices)
      case .float16:
        #if os(macOS) && arch(x86_64)
          throw AttentionError(.type, "F16 is not available on Intel Macs")
        #else
          return try run(as: Float16.self, matrices)
        #endif
      }
    } catch {
      throw .badInput(file, error)
    }
  }

  private func run<Scalar: AttentionScalar>(
    as type: Scalar.Type, _ matrices: EmittedMatrices
  ) throws(AttentionError) -> AttentionResults {
    let rows = shape.batch * shape.queryHeads * shape.queryLength
    let queries = query.elements(as: Scalar.self)
    let keys = key.elements(as: Scalar.self)
    let values = value.elements(as: Scalar.self)
    var output = filled(Scalar.self, rows * shape.valueDimension)
    var logSumExp = [Scalar.Compute](repeating: 0, count: rows)
    var outputSpan = output.mutableSpan
    var rowSpan = logSumExp.mutableSpan
    try scaledDotProductAttention(
      queries: queries.span, keys: keys.span, values: values.span, into: &outputSpan, logSumExp: &rowSpan,
      shape: shape, scale: scale, mask: mask, options: options)
    var results = AttentionResults(output: bytes(of: output), logSumExp: bytes(of: logSumExp))
    if matrices.contains(.scores) {
      var scores = [Scalar.Compute](repeating: 0, count: rows * shape.keyLength)
      var span = scores.mutableSpan
      try attentionMatrix(
        queries: queries.span, keys: keys.span, into: &span, shape: shape, scale: scale, mask: mask, options: options)
      results.scores = bytes(of: scores)
    }
    if matrices.contains(.weights) {
      var weights = [Scalar.Compute](repeating: 0, count: rows * shape.keyLength)
      var span = weights.mutableSpan
      try attentionMatrix(
        queries: queries.span, keys: keys.span, into: &span, logSumExp: logSumExp.span, shape: shape, scale: scale,
        mask: mask, options: options)
      results.weights = bytes(of: weights)
    }
    if let outputGradient {
      let gradients = try attentionGradients(
        queries: queries, keys: keys, values: values, output: output, logSumExp: logSumExp,
        outputGradient: outputGradient.elements(as: Scalar.self), shape: shape, scale: scale, mask: mask,
        options: options)
      results.gradients = namedGradients(
        queries: bytes(of: gradients.queries), keys: bytes(of: gradients.keys), values: bytes(of: gradients.values),
        bias: gradients.bias.map { bytes(of: $0) }, sinks: gradients.sinks.map { bytes(of: $0) })
    }
    return results
  }
}

extension InputProblem {
  /// Gradients under the names of the file, those of the inputs in their type and layout, the others as computed.
  func namedGradients(
    queries: [UInt8], keys: [UInt8], values: [UInt8], bias: [UInt8]?, sinks: [UInt8]?
  ) -> [AttentionResults.Gradient] {
    var gradients = [
      AttentionResults.Gradient(name: "query_gradient", type: type.fileType, shape: query.shape, bytes: queries),
      AttentionResults.Gradient(name: "key_gradient", type: type.fileType, shape: key.shape, bytes: keys),
      AttentionResults.Gradient(name: "value_gradient", type: type.fileType, shape: value.shape, bytes: values),
    ]
    if let bias, let shape = options.bias?.shape {
      gradients.append(.init(name: "bias_gradient", type: type.computeFileType, shape: shape, bytes: bias))
    }
    if let sinks {
      gradients.append(
        .init(name: "sinks_gradient", type: type.computeFileType, shape: [shape.queryHeads], bytes: sinks))
    }
    return gradients
  }
}

extension SafetensorsTensor {
  /// The numbers as they lie in the file, whatever their alignment there. The tensor must be of the element's type.
  func elements<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
    withUnsafeBytes { source in
      [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
        initialized = count
      }
    }
  }
}

private func filled<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> [Element] {
  [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
    UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
    initialized = count
  }
}

func bytes<Element: BitwiseCopyable>(of elements: [Element]) -> [UInt8] {
  elements.withUnsafeBytes { [UInt8]($0) }
}
