import RealModule

extension NaiveHead {
  func differentiate(
    queries: Input, keys: Input, values: Input, outputGradient: Input, addingTo gradients: NaiveGradientSums<Scalar>
  ) {
    let (Sq, Sk, D, Dv) = (shape.queryLength, shape.keyLength, shape.headDimension, shape.valueDimension)
    guard Sq > 0, Sk > 0 else { return }
    let visible = options.hidesPairs ? visibility() : nil
    let (q, k) = (rows(queryRows, of: queries, columns: D), rows(keyRows, of: keys, columns: D))
    let v = rows(keyRows, of: values, columns: Dv)
    let dO = rows(queryRows, of: outputGradient, columns: Dv)

    withZeros(Sq * Sk) { weights in
      withZeros(Sq * Sk) { matrix in
        withZeros(options.softcap > 0 ? Sq * Sk : 0) { capDerivative in
          withZeros(Sq) { logSumExp in
            withZeros(Sq) { delta in
              products(q, k, into: weights)
              scale(weights)
              differentiateCap(weights, into: capDerivative)
              cap(weights)
              addBias(weights)
              if let visible {
                hide(weights, where: visible)
              }
              softmaxRows(weights, visible: visible, logSumExp: logSumExp)

              _ = matrix.update(fromContentsOf: weights)
              dropOut(matrix)
              outputTimesGradient(matrix, v, dO, visible: visible, into: delta)
              multiplyTransposed(
                matrix, by: dO, columns: Dv, visible: visible,
                addingTo: rows(keyRows, of: gradients.values, columns: Dv))

              multiply(dO, byTransposed: v, columns: Dv, into: matrix)
              dropOut(matrix)
              differentiateSoftmax(matrix, weights: weights, delta: delta)
              addToBias(matrix, visible: visible, gradients.bias)
              addToSink(logSumExp, delta, visible: visible, gradients.sinks)

              multiply(matrix, byCapDerivative: capDerivative)
              scale(matrix)
              differentiateProducts(
                matrix, q, k, visible: visible, addingTo: rows(queryRows, of: gradients.queries, columns: D),
                rows(keyRows, of: gradients.keys, columns: D), gradients.additive)
            }
          }
        }
      }
    }
  }

  func withZeros(_ count: Int, _ body: (Output) -> Void) {
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: count) { buffer in
      buffer.initialize(repeating: 0)
      body(buffer)
    }
  }

  /// derivative = 1 − tanh²(matrix ÷ softcap).
  func differentiateCap(_ matrix: Output, into derivative: Output) {
    guard options.softcap > 0 else { return }
    let cap = Scalar(options.softcap)
    for pair in 0..<matrix.count {
      let tanh = Scalar.tanh(matrix[pair] / cap)
      derivative[pair] = 1 - tanh * tanh
    }
  }

  /// delta_i = ⟨do_i, o_i⟩, where o = matrix·V.
  func outputTimesGradient(_ matrix: Output, _ v: Input, _ dO: Input, visible: [Bool]?, into delta: Output) {
    let Dv = shape.valueDimension
    withZeros(shape.queryLength * Dv) { output in
      multiply(matrix, by: v, columns: Dv, visible: visible, addingTo: output)
      for i in 0..<shape.queryLength {
        for d in 0..<Dv {
          delta[i] += dO[i * Dv + d] * output[i * Dv + d]
        }
      }
    }
  }

  /// matrix = weights·(matrix − delta), where the delta is that of the row.
  func differentiateSoftmax(_ matrix: Output, weights: Output, delta: Output) {
    let Sk = shape.keyLength
    for i in 0..<shape.queryLength {
      for pair in i * Sk..<(i + 1) * Sk {
        matrix[pair] = weights[pair] * (matrix[pair] - delta[i])
      }
    }
  }

  /// matrix = matrix·derivative.
  func multiply(_ matrix: Output, byCapDerivative derivative: Output) {
    guard options.softcap > 0 else { return }
    for pair in 0..<matrix.count {
      matrix[pair] *= derivative[pair]
    }
  }

  /// Adds each visible pair of the matrix to the element of the bias that it reads.
  func addToBias(_ matrix: Output, visible: [Bool]?, _ gradient: Output) {
    guard let bias = options.bias else { return }
    let Sk = shape.keyLength
    for i in 0..<shape.queryLength {
      for j in 0..<Sk where visible?[i * Sk + j] ?? true {
        gradient[bias.index(batch: batch, head: head, query: i, key: j)] += matrix[i * Sk + j]
      }
    }
  }

  /// Takes exp(sink − lse_i)·delta_i off, over the rows that may attend to something.
  func addToSink(_ logSumExp: Output, _ delta: Output, visible: [Bool]?, _ gradient: Output) {
    guard let sinks = options.sinks else { return }
    let sink = Scalar(sinks[head])
    for i in 0..<shape.queryLength where !isEmpty(row: i, visible: visible) {
      gradient[head] -= Scalar.exp(sink - logSumExp[i]) * delta[i]
    }
  }
}
