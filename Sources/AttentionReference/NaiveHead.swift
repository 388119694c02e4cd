import RealModule

/// One batch and head of the naive computation: the steps over its matrices of pairs, [Sq, Sk].
///
/// Sums run in the order of the indices, each product and each sum rounded.
struct NaiveHead<Scalar: Real & BinaryFloatingPoint> {
  let batch: Int
  let head: Int
  let shape: ReferenceShape
  let options: ReferenceOptions

  typealias Input = UnsafeBufferPointer<Scalar>
  typealias Output = UnsafeMutableBufferPointer<Scalar>

  /// The head's rows in [B, H, Sq].
  var queryRows: Range<Int> {
    let first = (batch * shape.queryHeads + head) * shape.queryLength
    return first..<first + shape.queryLength
  }

  /// The rows in [B, G, Sk] that the head reads.
  var keyRows: Range<Int> {
    let first = (batch * shape.keyHeads + shape.keyHead(ofQueryHead: head)) * shape.keyLength
    return first..<first + shape.keyLength
  }

  func rows(_ rows: Range<Int>, of buffer: Input, columns: Int) -> Input {
    Input(rebasing: buffer[rows.lowerBound * columns..<rows.upperBound * columns])
  }

  func rows(_ rows: Range<Int>, of buffer: Output, columns: Int) -> Output {
    Output(rebasing: buffer[rows.lowerBound * columns..<rows.upperBound * columns])
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

  /// matrix = scale·matrix.
  func scale(_ matrix: Output) {
    let scale = Scalar(options.scale(headDimension: shape.headDimension))
    for pair in 0..<matrix.count {
      matrix[pair] *= scale
    }
  }

  /// matrix = cap(matrix).
  func cap(_ matrix: Output) {
    guard options.softcap > 0 else { return }
    let cap = Scalar(options.softcap)
    for pair in 0..<matrix.count {
      matrix[pair] = cap * Scalar.tanh(matrix[pair] / cap)
    }
  }

  /// matrix = matrix + bias − slope·|i + offset − j|.
  func addBias(_ matrix: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
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
  /// log-sum-exp, [Sq], is left as it is. A NaN that the comparisons of the maximum pass over returns with the
  /// exponentials.
  func softmaxRows(_ matrix: Output, visible: [Bool]?, logSumExp: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    let sink = options.sinks.map { Scalar($0[head]) }
    for i in 0..<Sq {
      let row = Output(rebasing: matrix[i * Sk..<(i + 1) * Sk])
      if isEmpty(row: i, visible: visible) {
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
      logSumExp[i] = maximum + Scalar.log(denominator)
    }
  }

  /// Whether query i may attend to nothing.
  func isEmpty(row i: Int, visible: [Bool]?) -> Bool {
    guard let visible else { return false }
    return !visible[i * shape.keyLength..<(i + 1) * shape.keyLength].contains(true)
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

  /// matrix = A·Bᵀ for A [Sq, columns] and B [Sk, columns]. B is transposed first, so that the innermost loop runs
  /// along rows.
  func multiply(_ a: Input, byTransposed b: Input, columns: Int, into matrix: Output) {
    let (Sq, Sk) = (shape.queryLength, shape.keyLength)
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: columns * Sk) { transposed in
      for j in 0..<Sk {
        for d in 0..<columns {
          transposed.initializeElement(at: d * Sk + j, to: b[j * columns + d])
        }
      }
      for i in 0..<Sq {
        let row = Output(rebasing: matrix[i * Sk..<(i + 1) * Sk])
        row.initialize(repeating: 0)
        for d in 0..<columns {
          addScaled(Input(rebasing: transposed[d * Sk..<(d + 1) * Sk]), by: a[i * columns + d], to: row)
        }
      }
    }
  }

  /// C += matrix·B for B [Sk, columns] and C [Sq, columns], without invisible pairs: 0·NaN would be NaN.
  func multiply(_ matrix: Output, by b: Input, columns: Int, visible: [Bool]?, addingTo c: Output) {
    let Sk = shape.keyLength
    for i in 0..<shape.queryLength {
      let row = rows(i..<i + 1, of: c, columns: columns)
      for j in 0..<Sk where visible?[i * Sk + j] ?? true {
        addScaled(rows(j..<j + 1, of: b, columns: columns), by: matrix[i * Sk + j], to: row)
      }
    }
  }

  /// C += matrixᵀ·A for A [Sq, columns] and C [Sk, columns], without invisible pairs.
  func multiplyTransposed(_ matrix: Output, by a: Input, columns: Int, visible: [Bool]?, addingTo c: Output) {
    let Sk = shape.keyLength
    for i in 0..<shape.queryLength {
      let row = rows(i..<i + 1, of: a, columns: columns)
      for j in 0..<Sk where visible?[i * Sk + j] ?? true {
        addScaled(row, by: matrix[i * Sk + j], to: rows(j..<j + 1, of: c, columns: columns))
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
