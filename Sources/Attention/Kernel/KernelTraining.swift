import CAttention

extension Kernel {
  /// Where attn_cross_entropy puts gradients.
  struct CrossEntropyGradients {
    var hidden, weight: [Float]
    var bias: [Float]?
  }

  /// Losses of rows [N, H] against classes, and with a scale the gradients; see attn_cross_entropy.
  static func crossEntropy(
    _ hidden: [Float], weight: [Float], bias: [Float]?, targets: [Int], width: Int, smoothing: Double, scale: Double?
  ) -> (loss: Double, negativeLogLikelihood: Double, gradients: CrossEntropyGradients?) {
    var problem = attn_cross_entropy_problem()
    problem.type = ATTN_F32
    problem.rows = Int64(targets.count)
    problem.hidden = Int64(width)
    problem.classes = Int64(weight.count / width)
    problem.smoothing = smoothing
    problem.scale = scale ?? 1
    var sums = attn_cross_entropy_sums()
    var gradients = scale.map { _ in
      CrossEntropyGradients(
        hidden: written(hidden.count), weight: written(weight.count), bias: bias.map { written($0.count) })
    }
    hidden.withUnsafeBytes { hidden in
      weight.withUnsafeBytes { weight in
        targets.withUnsafeBytes { targets in
          withConstantPointer(to: bias) { bias in
            problem.hidden_rows = hidden.baseAddress
            problem.weight = weight.baseAddress
            problem.targets = targets.baseAddress?.assumingMemoryBound(to: Int64.self)
            problem.bias = bias
            withCrossEntropyGradients(&gradients, &problem) { problem in
              check("cross-entropy", attn_cross_entropy(&problem, &sums))
            }
          }
        }
      }
    }
    return (sums.loss, sums.negative_log_likelihood, gradients)
  }

  private static func withCrossEntropyGradients(
    _ gradients: inout CrossEntropyGradients?, _ problem: inout attn_cross_entropy_problem,
    _ body: (inout attn_cross_entropy_problem) -> Void
  ) {
    guard var written = gradients else { return body(&problem) }
    gradients = nil
    written.hidden.withUnsafeMutableBytes { hidden in
      written.weight.withUnsafeMutableBytes { weight in
        withMutablePointer(to: &written.bias) { bias in
          problem.hidden_gradient = hidden.baseAddress
          problem.weight_gradient = weight.baseAddress
          problem.bias_gradient = bias
          body(&problem)
        }
      }
    }
    gradients = written
  }

  /// Σ x², in a fixed order; see attn_sum_of_squares.
  static func sumOfSquares(_ numbers: [Float]) -> Double {
    var sum = 0.0
    check("sum of squares", attn_sum_of_squares(ATTN_F32, numbers, Int64(numbers.count), 0, &sum))
    return sum
  }

  /// x = f(x + b) row by row, f = tanh or nothing; see attn_bias_rows.
  static func addBias(_ bias: [Float]?, to x: inout [Float], columns: Int, tanh: Bool) {
    let rows = columns == 0 ? 0 : x.count / columns
    x.withUnsafeMutableBytes { x in
      withConstantPointer(to: bias) { bias in
        check("bias", attn_bias_rows(ATTN_F32, Int64(rows), Int64(columns), x.baseAddress, bias, tanh, 0))
      }
    }
  }

  /// Rows become the logarithms of their softmax; see attn_log_softmax.
  static func logSoftmax(_ x: inout [Float], columns: Int) {
    let rows = columns == 0 ? 0 : x.count / columns
    x.withUnsafeMutableBytes { x in
      check("log-softmax", attn_log_softmax(ATTN_F32, Int64(rows), Int64(columns), x.baseAddress, 0))
    }
  }

  /// x = x·(1 − y²); see attn_tanh_gradient.
  static func multiplyByTanhGradient(_ x: inout [Float], _ y: [Float]) {
    let count = Int64(x.count)
    check("tanh gradient", attn_tanh_gradient(ATTN_F32, count, &x, y, 0))
  }

  /// x with numbers dropped by a seed; see attn_drop.
  static func dropped(_ x: [Float], probability: Double, seed: UInt64) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { y, count in
      check("dropout", attn_drop(ATTN_F32, Int64(x.count), x, y.baseAddress, probability, seed, 0))
      count = x.count
    }
  }

  /// What Adam reads beside the numbers; see attn_adam.
  struct AdamStep {
    var rate, beta1, beta2, epsilon, decay, scale: Double
    var step: Int
  }

  /// A run of one parameter's numbers, with where its gradient begins; nil = 0.
  struct AdamRun {
    var range: Range<Int>
    var gradient: Int?
  }

  /// Takes a step for the runs, in place; see attn_adam_step.
  static func adam(
    _ step: AdamStep, _ runs: [AdamRun], _ parameter: inout [Float], gradient: [Float], mean: inout [Float],
    square: inout [Float]
  ) {
    var adam = attn_adam(
      type: ATTN_F32, rate: step.rate, beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon, decay: step.decay,
      scale: step.scale, step: Int64(step.step), threads: 0)
    parameter.withUnsafeMutableBufferPointer { parameter in
      mean.withUnsafeMutableBufferPointer { mean in
        square.withUnsafeMutableBufferPointer { square in
          gradient.withUnsafeBufferPointer { gradient in
            let parts = runs.map { run in
              let first = run.range.lowerBound
              return attn_adam_part(
                count: Int64(run.range.count),
                gradient: run.gradient.flatMap { start in gradient.baseAddress.map { UnsafeRawPointer($0 + start) } },
                parameter: parameter.baseAddress.map { $0 + first }, mean: mean.baseAddress.map { $0 + first },
                square: square.baseAddress.map { $0 + first })
            }
            check("Adam", attn_adam_step(&adam, parts, Int64(parts.count)))
          }
        }
      }
    }
  }

  static func check(_ what: String, _ status: attn_status) {
    if status != ATTN_OK { fatalError("\(what): \(String(cString: attn_error_message()))") }
  }
}
