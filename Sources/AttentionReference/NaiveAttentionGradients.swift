import RealModule

/// The backward pass of attention as a textbook writes it: for each batch and head the whole [Sq, Sk] matrices of
/// weights and of score gradients are stored. All arithmetic is in `Scalar`.
///
/// Its rounding error with Float is the yardstick of what a fused kernel may lose, and its time the one to beat.
/// Formulas, edges and requirements are those of
/// ``referenceAttentionGradients(queries:keys:values:outputGradient:shape:options:)``; the loops are its own.
///
/// Sums run in the order of the indices, heads and batches outermost, each product and each sum rounded, so results do
/// not depend on the build.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], row-major.
///   - keys: [B, G, Sk, D].
///   - values: [B, G, Sk, Dv].
///   - outputGradient: [B, H, Sq, Dv].
///   - shape: the sizes.
///   - options: those of the forward pass. Their numbers are rounded to `Scalar` before use.
/// - Returns: the gradients of queries, keys and values, of the bias in its own shape (nil without one), of the sinks
///   [H] (nil without any), and of the vectors of additive scores (nil without).
// Other modules do not see the body: without these two they would call it unspecialized, many times slower.
@_specialize(where Scalar == Float)
@_specialize(where Scalar == Double)
public func naiveAttentionGradients<Scalar: Real & BinaryFloatingPoint>(
  queries: [Scalar], keys: [Scalar], values: [Scalar], outputGradient: [Scalar], shape: ReferenceShape,
  options: ReferenceOptions = ReferenceOptions()
) -> (
  queries: [Scalar], keys: [Scalar], values: [Scalar], bias: [Scalar]?, sinks: [Scalar]?, additive: [Scalar]?
) {
  requireConsistent(
    queryCount: queries.count, keyCount: keys.count, valueCount: values.count, shape: shape, options: options)
  requireOutputGradient(count: outputGradient.count, shape: shape)
  let gradients = NaiveGradientSums<Scalar>(
    queryCount: queries.count, keyCount: keys.count, valueCount: values.count,
    biasCount: options.bias?.elements.count ?? 0, sinkCount: options.sinks?.count ?? 0,
    additiveCount: options.additive?.count ?? 0)
  defer { gradients.deallocate() }
  queries.withUnsafeBufferPointer { queries in
    keys.withUnsafeBufferPointer { keys in
      values.withUnsafeBufferPointer { values in
        outputGradient.withUnsafeBufferPointer { outputGradient in
          for b in 0..<shape.batch {
            for h in 0..<shape.queryHeads {
              let head = NaiveHead<Scalar>(batch: b, head: h, shape: shape, options: options)
              head.differentiate(
                queries: queries, keys: keys, values: values, outputGradient: outputGradient, addingTo: gradients)
            }
          }
        }
      }
    }
  }
  return (
    Array(gradients.queries), Array(gradients.keys), Array(gradients.values),
    options.bias == nil ? nil : Array(gradients.bias), options.sinks == nil ? nil : Array(gradients.sinks),
    options.additive == nil ? nil : Array(gradients.additive)
  )
}

/// The gradients of the whole problem, to which one head after the other adds its part. They start as zeros, and the
/// owner frees them.
struct NaiveGradientSums<Scalar: Real & BinaryFloatingPoint> {
  typealias Output = UnsafeMutableBufferPointer<Scalar>

  let queries, keys, values, bias, sinks, additive: Output

  init(queryCount: Int, keyCount: Int, valueCount: Int, biasCount: Int, sinkCount: Int, additiveCount: Int) {
    func zeros(_ count: Int) -> Output {
      let buffer = Output.allocate(capacity: count)
      buffer.initialize(repeating: 0)
      return buffer
    }
    queries = zeros(queryCount)
    keys = zeros(keyCount)
    values = zeros(valueCount)
    bias = zeros(biasCount)
    sinks = zeros(sinkCount)
    additive = zeros(additiveCount)
  }

  func deallocate() {
    for buffer in [queries, keys, values, bias, sinks, additive] {
      buffer.deallocate()
    }
  }
}
