import RealModule

/// Attention as a textbook writes it: for each batch and head the whole [Sq, Sk] matrix of scores is stored, then the
/// softmax is taken by rows, then the result is multiplied by the values. All arithmetic is in `Scalar`.
///
/// Its rounding error with Float is the yardstick of what a fused kernel may lose, and its time the one to beat.
/// Formula, edges and requirements are those of
/// ``referenceAttention(queries:keys:values:shape:options:emittingMatrices:)``; the loops are its own. exp(s − m)
/// underflows where `Scalar` says.
///
/// Sums run in the order of the indices, each product and each sum rounded, so results do not depend on the build.
///
/// - Parameters:
///   - queries: [B, H, Sq, D], row-major.
///   - keys: [B, G, Sk, D].
///   - values: [B, G, Sk, Dv].
///   - shape: the sizes.
///   - options: what is asked for beyond the plain formula. Its numbers are rounded to `Scalar` before use.
/// - Returns: the output [B, H, Sq, Dv] and the log-sum-exp [B, H, Sq].
// Other modules do not see the body: without these two they would call it unspecialized, many times slower.
@_specialize(where Scalar == Float)
@_specialize(where Scalar == Double)
public func naiveAttention<Scalar: Real & BinaryFloatingPoint>(
  queries: [Scalar], keys: [Scalar], values: [Scalar], shape: ReferenceShape,
  options: ReferenceOptions = ReferenceOptions()
) -> (output: [Scalar], logSumExp: [Scalar]) {
  requireConsistent(
    queryCount: queries.count, keyCount: keys.count, valueCount: values.count, shape: shape, options: options)
  var output = [Scalar](repeating: 0, count: shape.batch * shape.queryHeads * shape.queryLength * shape.valueDimension)
  var logSumExp = [Scalar](repeating: -.infinity, count: shape.batch * shape.queryHeads * shape.queryLength)
  queries.withUnsafeBufferPointer { queries in
    keys.withUnsafeBufferPointer { keys in
      values.withUnsafeBufferPointer { values in
        output.withUnsafeMutableBufferPointer { output in
          logSumExp.withUnsafeMutableBufferPointer { logSumExp in
            for b in 0..<shape.batch {
              for h in 0..<shape.queryHeads {
                let head = NaiveHead<Scalar>(batch: b, head: h, shape: shape, options: options)
                head.attend(
                  queries: queries, keys: keys, values: values, output: output, logSumExp: logSumExp)
              }
            }
          }
        }
      }
    }
  }
  return (output, logSumExp)
}

extension NaiveHead {
  func attend(queries: Input, keys: Input, values: Input, output: Output, logSumExp: Output) {
    let (Sq, Sk, D, Dv) = (shape.queryLength, shape.keyLength, shape.headDimension, shape.valueDimension)
    guard Sq > 0, Sk > 0 else { return }
    let visible = options.hidesPairs ? visibility() : nil
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: Sq * Sk) { matrix in
      products(rows(queryRows, of: queries, columns: D), rows(keyRows, of: keys, columns: D), into: matrix)
      scale(matrix)
      cap(matrix)
      addBias(matrix)
      if let visible {
        hide(matrix, where: visible)
      }
      softmaxRows(matrix, visible: visible, logSumExp: rows(queryRows, of: logSumExp, columns: 1))
      dropOut(matrix)
      multiply(
        matrix, by: rows(keyRows, of: values, columns: Dv), columns: Dv, visible: visible,
        addingTo: rows(queryRows, of: output, columns: Dv))
    }
  }
}
