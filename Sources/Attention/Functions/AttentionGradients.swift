/// Gradients of a loss through attention, each of the shape of what it is the gradient of.
public struct AttentionGradients: Sendable, Equatable {
  /// [B, H, Sq, D].
  public var queries: Tensor
  /// [B, G, Sk, D].
  public var keys: Tensor
  /// [B, G, Sk, Dv].
  public var values: Tensor
  /// Of the bias's shape, summed over what it was broadcast over; nil without a bias.
  public var bias: Tensor?
  /// [H]; nil without sinks.
  public var sinks: [Float]?
  /// Of the vector's shape; nil but for additive attention.
  public var vector: Tensor?
}

/// Scaled dot-product attention and its pullback, which maps the gradient of the output to those of the inputs:
///
///     p_ij = exp(s_ij − lse_i),  ds_ij = p_ij (⟨do_i, v_j⟩ − ⟨do_i, o_i⟩)
///     dv_j = Σ_i p_ij do_i,  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i
///
/// (Dao et al. 2022, arXiv:2205.14135). The forward pass keeps the output and the log-sum-exp, nothing of size Sq × Sk;
/// the backward pass recomputes the weights tile by tile, dropout from its seed. The bits of the gradients do not depend
/// on the number of threads.
///
/// ```swift
/// let (output, pullback) = scaledDotProductAttentionWithPullback(queries: q, keys: k, values: v, mask: .causal)
/// let gradients = pullback(outputGradient)
/// ```
///
/// - Returns: `value` [B, H, Sq, Dv], and `pullback`, which takes a tensor of the same shape. Parameters as in
///   ``scaledDotProductAttention(queries:keys:values:scale:mask:options:)``.
public func scaledDotProductAttentionWithPullback(
  queries: Tensor, keys: Tensor, values: Tensor, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) -> (value: Tensor, pullback: @Sendable (Tensor) -> AttentionGradients) {
  let shape = attentionShape(queries: queries, keys: keys, values: values)
  let (output, logSumExp) = scaledDotProductAttentionWithLogSumExp(
    queries: queries, keys: keys, values: values, scale: scale, mask: mask, options: options)
  return (
    output,
    { outputGradient in
      require(
        outputGradient.shape == output.shape,
        "attention: the output has shape \(output.shape), its gradient \(outputGradient.shape)")
      var gradients = AttentionRawGradients<Float>(
        queries: Kernel.written(queries.count), keys: Kernel.written(keys.count),
        values: Kernel.written(values.count), bias: options.bias.map { [Float](repeating: 0, count: $0.count) },
        sinks: options.sinks.map { [Float](repeating: 0, count: $0.count) },
        vector: options.additive.map { [Float](repeating: 0, count: $0.count) })
      stopping(on: shape) { () throws(AttentionError) in
        try attentionGradients(
          AttentionSavedResults(
            queries: queries.scalars, keys: keys.scalars, values: values.scalars, output: output.scalars,
            logSumExp: logSumExp.scalars, outputGradient: outputGradient.scalars),
          &gradients, shape, scale, mask, options)
      }
      return AttentionGradients(
        queries: Tensor(gradients.queries, shape: queries.shape), keys: Tensor(gradients.keys, shape: keys.shape),
        values: Tensor(gradients.values, shape: values.shape),
        bias: gradients.bias.map { Tensor($0, shape: options.bias!.shape) }, sinks: gradients.sinks,
        vector: gradients.vector.map { Tensor($0, shape: options.additive!.shape) })
    }
  )
}

/// What the backward pass reads.
struct AttentionSavedResults<Scalar: AttentionScalar> {
  var queries, keys, values, output: [Scalar]
  var logSumExp: [Scalar.Compute]
  var outputGradient: [Scalar]
}

/// Gradients as arrays in the order of the inputs; bias and sinks, where present, in the type computed in.
public struct AttentionRawGradients<Scalar: AttentionScalar>: Sendable {
  /// As the queries.
  public var queries: [Scalar]
  /// As the keys.
  public var keys: [Scalar]
  /// As the values.
  public var values: [Scalar]
  /// As the bias.
  public var bias: [Scalar.Compute]?
  /// One a query head.
  public var sinks: [Scalar.Compute]?
  /// As the vector of additive scores.
  var vector: [Scalar.Compute]?
}

/// The gradients of attention on arrays of any element type and layout.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], as the forward pass read them, laid out as `shape` says.
///   - keys: [B, G, Sk, D] likewise.
///   - values: [B, G, Sk, Dv] likewise.
///   - output: What the forward pass returned.
///   - logSumExp: What the forward pass returned with it, [B, H, Sq] contiguous.
///   - outputGradient: Laid out as the output.
///   - shape: Sizes and strides.
///   - scale: As in the forward pass.
///   - mask: As in the forward pass.
///   - options: As in the forward pass, with the same dropout seed.
/// - Returns: Gradients laid out as the inputs.
/// - Throws: ``AttentionError`` when sizes, strides or options are wrong.
public func attentionGradients<Scalar: AttentionScalar>(
  queries: [Scalar], keys: [Scalar], values: [Scalar], output: [Scalar], logSumExp: [Scalar.Compute],
  outputGradient: [Scalar], shape: AttentionShape, scale: Double? = nil, mask: AttentionMask = .none,
  options: AttentionOptions = AttentionOptions()
) throws(AttentionError) -> AttentionRawGradients<Scalar> {
  var gradients = AttentionRawGradients(
    queries: queries, keys: keys, values: values,
    bias: options.bias.map { [Scalar.Compute](repeating: 0, count: $0.count) },
    sinks: options.sinks.map { [Scalar.Compute](repeating: 0, count: $0.count) })
  try attentionGradients(
    AttentionSavedResults(
      queries: queries, keys: keys, values: values, output: output, logSumExp: logSumExp,
      outputGradient: outputGradient),
    &gradients, shape, scale, mask, options)
  return gradients
}

private func attentionGradients<Scalar: AttentionScalar>(
  _ saved: AttentionSavedResults<Scalar>, _ gradients: inout AttentionRawGradients<Scalar>, _ shape: AttentionShape,
  _ scale: Double?, _ mask: AttentionMask, _ options: AttentionOptions
) throws(AttentionError) {
  let counts = SpanCounts(
    queries: saved.queries.count, keys: saved.keys.count, values: saved.values.count,
    output: min(saved.output.count, saved.outputGradient.count))
  try counts.check(shape)
  try SpanCounts.check("logSumExp", saved.logSumExp.count, holds: shape.rows)
  let failure = saved.queries.withUnsafeBytes { queries in
    saved.keys.withUnsafeBytes { keys in
      saved.values.withUnsafeBytes { values in
        saved.output.withUnsafeBytes { output in
          saved.logSumExp.withUnsafeBytes { logSumExp in
            saved.outputGradient.withUnsafeBytes { outputGradient in
              gradients.withPointers { gradients in
                var operands = gradients
                operands.forward = Kernel.Operands(
                  queries: queries.baseAddress, keys: keys.baseAddress, values: values.baseAddress,
                  output: UnsafeMutableRawPointer(mutating: output.baseAddress),
                  logSumExp: UnsafeMutableRawPointer(mutating: logSumExp.baseAddress))
                operands.outputGradient = outputGradient.baseAddress
                return Kernel.backward(Scalar.scalarType, shape, operands, scale, mask, options)
              }
            }
          }
        }
      }
    }
  }
  if let failure { throw failure }
}

extension AttentionRawGradients {
  fileprivate mutating func withPointers(
    _ body: (Kernel.BackwardOperands) -> AttentionError?
  ) -> AttentionError? {
    queries.withUnsafeMutableBytes { queries in
      keys.withUnsafeMutableBytes { keys in
        values.withUnsafeMutableBytes { values in
          withOptionalPointer(&bias) { bias in
            withOptionalPointer(&sinks) { sinks in
              withOptionalPointer(&vector) { vector in
                body(
                  Kernel.BackwardOperands(
                    forward: Kernel.Operands(), queries: queries.baseAddress, keys: keys.baseAddress,
                    values: values.baseAddress, bias: bias, sinks: sinks, additive: vector))
              }
            }
          }
        }
      }
    }
  }
}

private func withOptionalPointer<Element>(
  _ array: inout [Element]?, _ body: (UnsafeMutableRawPointer?) -> AttentionError?
) -> AttentionError? {
  guard var elements = array else { return body(nil) }
  array = nil
  defer { array = elements }
  return elements.withUnsafeMutableBytes { body($0.baseAddress) }
}
