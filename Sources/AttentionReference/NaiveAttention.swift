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

/// One batch and head of the naive computation. The buffers its functions take are those of the whole problem; matrices
/// of pairs are [Sq, Sk].
struct NaiveHead<Scalar: Real & BinaryFloatingPoint> {
  let batch: Int
  let head: Int
  let shape: ReferenceShape
  let options: ReferenceOptions

  typealias Input = UnsafeBufferPointer<Scalar>
  typealias Output = UnsafeMutableBufferPointer<Scalar>

  func attend(queries: Input, keys: Input, values: Input, output: Output, logSumExp: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    guard Sq > 0, Sk > 0 else { return }
    let visible = options.hidesPairs ? visibility() : nil
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: Sq * Sk) { matrix in
      multiplyByTransposedKeys(queries, keys, into: matrix)
      capAndBias(matrix)
      if let visible {
        hide(matrix, where: visible)
      }
      softmaxRows(matrix, visible: visible, logSumExp: logSumExp)
      dropOut(matrix)
      multiply(matrix, by: values, visible: visible, into: output)
    }
  }

  /// Whether each pair is visible.
  func visibility() -> [Bool] {
    var visible: [Bool] = []
    visible.reserveCapacity(shape.queryLength * shape.keyLength)
    for i in 0..<shape.queryLength {
      for j in 0..<shape.keyLength {
        visible.append(options.isVisible(batch: batch, head: head, query: i, key: j))
      }
    }
    return visible
  }

  /// matrix = scale·Q·Kᵀ. K is transposed first, so that the innermost loop runs along rows.
  func multiplyByTransposedKeys(_ queries: Input, _ keys: Input, into matrix: Output) {
    let (Sq, Sk, D) = (shape.queryLength, shape.keyLength, shape.headDimension)
    let firstKey = (batch * shape.keyHeads + shape.keyHead(ofQueryHead: head)) * Sk * D
    let firstQuery = (batch * shape.queryHeads + head) * Sq * D
    let scale = Scalar(options.scale(headDimension: D))
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: D * Sk) { transposed in
      for j in 0..<Sk {
        for d in 0..<D {
          transposed.initializeElement(at: d * Sk + j, to: keys[firstKey + j * D + d])
        }
      }
      for i in 0..<Sq {
        let row = Output(rebasing: matrix[i * Sk..<(i + 1) * Sk])
        row.initialize(repeating: 0)
        for d in 0..<D {
          addScaled(Input(rebasing: transposed[d * Sk..<(d + 1) * Sk]), by: queries[firstQuery + i * D + d], to: row)
        }
        for j in 0..<Sk {
          row[j] *= scale
        }
      }
    }
  }

  /// matrix = cap(matrix) + bias − slope·|i + offset − j|.
  func capAndBias(_ matrix: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    if options.softcap > 0 {
      let cap = Scalar(options.softcap)
      for pair in 0..<Sq * Sk {
        matrix[pair] = cap * Scalar.tanh(matrix[pair] / cap)
      }
    }
    if let bias = options.bias {
      for i in 0..<Sq {
        for j in 0..<Sk {
          matrix[i * Sk + j] += Scalar(bias.element(batch: batch, head: head, query: i, key: j))
        }
      }
    }
    if let slopes = options.alibiSlopes {
      let slope = Scalar(slopes[head])
      for i in 0..<Sq {
        for j in 0..<Sk {
          let distance = options.relativePosition(batch: batch, query: i, key: j).magnitude
          matrix[i * Sk + j] -= slope * Scalar(distance)
        }
      }
    }
  }

  /// matrix = −∞ where a pair is invisible.
  func hide(_ matrix: Output, where visible: [Bool]) {
    for pair in visible.indices where !visible[pair] {
      matrix[pair] = -.infinity
    }
  }

  /// matrix = softmax of its rows, the sink in the denominator. A row without a visible pair becomes 0, and its
  /// log-sum-exp stays −∞. A NaN that the comparisons of the maximum pass over returns with the exponentials.
  func softmaxRows(_ matrix: Output, visible: [Bool]?, logSumExp: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    let sink = options.sinks.map { Scalar($0[head]) }
    for i in 0..<Sq {
      let row = Output(rebasing: matrix[i * Sk..<(i + 1) * Sk])
      if let visible, !visible[i * Sk..<(i + 1) * Sk].contains(true) {
        row.update(repeating: 0)
        continue
      }
      var maximum = sink ?? -.infinity
      for j in 0..<Sk where row[j] > maximum {
        maximum = row[j]
      }
      var denominator: Scalar = 0
      for j in 0..<Sk {
        row[j] = Scalar.exp(row[j] - maximum)
        denominator += row[j]
      }
      if let sink {
        denominator += Scalar.exp(sink - maximum)
      }
      for j in 0..<Sk {
        row[j] /= denominator
      }
      logSumExp[(batch * shape.queryHeads + head) * Sq + i] = maximum + Scalar.log(denominator)
    }
  }

  /// matrix = 0·matrix where dropped, matrix ÷ (1 − p) elsewhere.
  func dropOut(_ matrix: Output) {
    guard options.dropoutProbability > 0 else { return }
    let kept = Scalar(1 - options.dropoutProbability)
    for i in 0..<shape.queryLength {
      for j in 0..<shape.keyLength {
        let dropped = isDropped(
          batch: batch, head: head, query: i, key: j, probability: options.dropoutProbability,
          seed: options.dropoutSeed)
        let pair = i * shape.keyLength + j
        matrix[pair] = dropped ? 0 * matrix[pair] : matrix[pair] / kept
      }
    }
  }

  /// output = matrix·V, without the values of invisible pairs: 0·NaN would be NaN.
  func multiply(_ matrix: Output, by values: Input, visible: [Bool]?, into output: Output) {
    let (Sq, Sk, Dv) = (shape.queryLength, shape.keyLength, shape.valueDimension)
    let firstValue = (batch * shape.keyHeads + shape.keyHead(ofQueryHead: head)) * Sk * Dv
    let firstOutput = (batch * shape.queryHeads + head) * Sq * Dv
    for i in 0..<Sq {
      let row = Output(rebasing: output[firstOutput + i * Dv..<firstOutput + (i + 1) * Dv])
      for j in 0..<Sk where visible?[i * Sk + j] ?? true {
        let value = Input(rebasing: values[firstValue + j * Dv..<firstValue + (j + 1) * Dv])
        addScaled(value, by: matrix[i * Sk + j], to: row)
      }
    }
  }

  /// y += a·x. The buffers have the same length and do not overlap.
  func addScaled(_ x: Input, by a: Scalar, to y: Output) {
    for index in 0..<y.count {
      y[index] += a * x[index]
    }
  }
}
