import CAttention

extension Kernel {
  struct Operands {
    var queries, keys, values: UnsafeRawPointer?
    var output, logSumExp: UnsafeMutableRawPointer?
  }

  static func forward(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ operands: Operands, _ scale: Double?,
    _ mask: AttentionMask, _ options: AttentionOptions
  ) -> AttentionError? {
    withProblem(type, shape, scale, mask, options) { problem in
      problem.query.data = operands.queries
      problem.key.data = operands.keys
      problem.value.data = operands.values
      var output = attn_output(data: operands.output, shape.outputStrides)
      guard let logSumExp = operands.logSumExp else { return error(attn_forward(&problem, &output, nil)) }
      var lse = attn_output(
        data: logSumExp,
        AttentionStrides(layout: .bhsd, heads: shape.queryHeads, length: shape.queryLength, dimension: 1))
      return error(attn_forward(&problem, &output, &lse))
    }
  }

  /// Saved results, the output gradient and where the gradients go; nil = not wanted.
  struct BackwardOperands {
    var forward: Operands
    var outputGradient: UnsafeRawPointer?
    var queries, keys, values, bias, sinks, additive: UnsafeMutableRawPointer?
  }

  /// Gradients of queries, keys and values have the strides of what they are the gradients of, that of the output has
  /// the output's, and that of the bias its own shape's.
  static func backward(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ operands: BackwardOperands, _ scale: Double?,
    _ mask: AttentionMask, _ options: AttentionOptions
  ) -> AttentionError? {
    withProblem(type, shape, scale, mask, options) { problem in
      problem.query.data = operands.forward.queries
      problem.key.data = operands.forward.keys
      problem.value.data = operands.forward.values
      var output = attn_input(data: operands.forward.output.map { UnsafeRawPointer($0) }, shape.outputStrides)
      var lse = attn_input(
        data: operands.forward.logSumExp.map { UnsafeRawPointer($0) },
        AttentionStrides(layout: .bhsd, heads: shape.queryHeads, length: shape.queryLength, dimension: 1))
      var outputGradient = attn_input(data: operands.outputGradient, shape.outputStrides)
      var gradients = attn_gradients()
      gradients.query = attn_output(data: operands.queries, shape.queryStrides)
      gradients.key = attn_output(data: operands.keys, shape.keyStrides)
      gradients.value = attn_output(data: operands.values, shape.valueStrides)
      gradients.bias.data = operands.bias
      gradients.bias.stride_batch = problem.bias.stride_batch
      gradients.bias.stride_head = problem.bias.stride_head
      gradients.bias.stride_row = problem.bias.stride_row
      gradients.bias.stride_key = problem.bias.stride_key
      gradients.sinks = operands.sinks
      gradients.additive = operands.additive
      return error(attn_backward(&problem, &output, &lse, &outputGradient, &gradients))
    }
  }

  /// What attn_weights is asked for; nil = not wanted, or all rows or heads.
  struct WeightsRequest {
    var rows, heads: [Int]?
    var averaged = false
    var scores, weights: UnsafeMutableRawPointer?
    var top = 0
    var topKeys: UnsafeMutablePointer<Int64>?
    var topWeights, columnSums: UnsafeMutableRawPointer?
  }

  static func weights(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ queries: UnsafeRawPointer?, _ keys: UnsafeRawPointer?,
    logSumExp: UnsafeRawPointer?, _ wanted: WeightsRequest, _ scale: Double?, _ mask: AttentionMask,
    _ options: AttentionOptions
  ) -> AttentionError? {
    withProblem(type, shape, scale, mask, options) { problem in
      problem.query.data = queries
      problem.key.data = keys
      return withPointer(to: wanted.rows) { rows in
        withPointer(to: wanted.heads) { heads in
          var request = attn_weights_request()
          request.rows = rows?.assumingMemoryBound(to: Int64.self)
          request.row_count = Int64(wanted.rows?.count ?? 0)
          request.heads = heads?.assumingMemoryBound(to: Int64.self)
          request.head_count = Int64(wanted.heads?.count ?? 0)
          request.averaged = wanted.averaged
          request.scores = wanted.scores
          request.weights = wanted.weights
          request.top = Int64(wanted.top)
          request.top_keys = wanted.topKeys
          request.top_weights = wanted.topWeights
          request.column_sums = wanted.columnSums
          return error(attn_weights(&problem, logSumExp, &request))
        }
      }
    }
  }
}
