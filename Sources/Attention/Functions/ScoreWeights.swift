/// Weights that the kernels make of queries, keys and the log-sum-exp.
struct ScoreWeights: WeightsSource {
  let queries, keys, logSumExp: Tensor
  let scale: Double?
  let mask: AttentionMask
  let options: AttentionOptions
  /// How many of the first keys are shown last: keys of a layer's own, which stand before those given.
  let ownKeys: Int
  private let shape: AttentionShape

  init(
    queries: Tensor, keys: Tensor, logSumExp: Tensor? = nil, scale: Double? = nil, mask: AttentionMask,
    options: AttentionOptions = AttentionOptions(), ownKeys: Int
  ) {
    shape = attentionShape(queries: queries, keys: keys, values: keys)
    let rows = [shape.batch, shape.queryHeads, shape.queryLength]
    require(
      logSumExp.map { $0.shape == rows } ?? true,
      "AttentionWeights: expected a log-sum-exp \(rows) for \(shape), got \(logSumExp?.shape ?? [])")
    self.logSumExp =
      logSumExp
      ?? scaledDotProductAttentionWithLogSumExp(
        queries: queries, keys: keys, values: keys, scale: scale, mask: mask, options: options
      ).logSumExp
    self.queries = queries
    self.keys = keys
    self.scale = scale
    self.mask = mask
    self.options = options
    self.ownKeys = ownKeys
  }

  var batch: Int { shape.batch }
  var heads: Int { shape.queryHeads }
  var queryLength: Int { shape.queryLength }
  var keyLength: Int { shape.keyLength }

  func matrix(_ choice: WeightsChoice) -> Tensor {
    filled(lines(choice) + [keyLength], choice) { $0.weights = $1 }.movingToEnd(ownKeys)
  }

  func columnSums(_ choice: WeightsChoice) -> Tensor {
    filled(lines(choice).dropLast() + [keyLength], choice) { $0.columnSums = $1 }.movingToEnd(ownKeys)
  }

  func largest(_ k: Int, _ choice: WeightsChoice) -> LargestWeights {
    let shown = lines(choice) + [k]
    var keys = [Int64](repeating: -1, count: shown.reduce(1, *))
    let weights = keys.withUnsafeMutableBufferPointer { keys in
      filled(shown, choice) { request, weights in
        request.top = k
        request.topKeys = keys.baseAddress
        request.topWeights = weights
      }
    }
    return LargestWeights(
      keys: keys.map { $0 < 0 ? nil : (Int($0) + keyLength - ownKeys) % keyLength }, weights: weights)
  }

  /// [B, H', R].
  private func lines(_ choice: WeightsChoice) -> [Int] {
    let chosen = choice.averaged ? 1 : choice.heads?.count ?? heads
    return [batch, chosen, choice.rows?.count ?? queryLength]
  }

  /// A result of the kernel; `place` says which part of the request it is.
  private func filled(
    _ shown: [Int], _ choice: WeightsChoice,
    _ place: (inout Kernel.WeightsRequest, UnsafeMutableRawPointer?) -> Void
  ) -> Tensor {
    let scalars = [Float](unsafeUninitializedCapacity: shown.reduce(1, *)) { buffer, count in
      buffer.initialize(repeating: 0)
      count = buffer.count
      var request = Kernel.WeightsRequest(rows: choice.rows, heads: choice.heads, averaged: choice.averaged)
      place(&request, UnsafeMutableRawPointer(buffer.baseAddress))
      let error = Kernel.weights(
        .float32, shape, queries.scalars, keys.scalars, logSumExp: logSumExp.scalars, request, scale, mask, options)
      if let error { fatalError("AttentionWeights of \(shape): \(error)") }
    }
    return Tensor(scalars, shape: shown)
  }
}
