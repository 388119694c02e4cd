// The one file that imports the C library: everything of it that Swift sees passes through here.
import CAttention

enum Kernel {
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

  /// Row-major C = op(A) op(B); see attn_matmul.
  static func matrixProduct(
    _ a: [Float], transposingA transposeA: Bool = false, _ b: [Float], transposingB transposeB: Bool = false, m: Int,
    n: Int, k: Int
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: m * n) { c, count in
      let status = attn_matmul(
        ATTN_F32, transposeA, transposeB, Int64(m), Int64(n), Int64(k), a, Int64(transposeA ? m : k), b,
        Int64(transposeB ? k : n), c.baseAddress, Int64(n), false, 0)
      if status != ATTN_OK { fatalError("matrix product: \(String(cString: attn_error_message()))") }
      count = m * n
    }
  }

  /// Row-major C += A B; see attn_matmul.
  static func addMatrixProduct(_ a: [Float], _ b: [Float], to c: inout [Float], m: Int, n: Int, k: Int) {
    let status = attn_matmul(
      ATTN_F32, false, false, Int64(m), Int64(n), Int64(k), a, Int64(k), b, Int64(n), &c, Int64(n), true, 0)
    if status != ATTN_OK { fatalError("matrix product: \(String(cString: attn_error_message()))") }
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

  private static func error(_ status: attn_status) -> AttentionError? {
    status == ATTN_OK
      ? nil
      : AttentionError(
        AttentionError.Code(rawValue: Int(status.rawValue)) ?? .uninitialized, String(cString: attn_error_message()))
  }

  /// Builds the C problem around pointers into the Swift arrays, which live for the duration of `body`.
  private static func withProblem(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ scale: Double?, _ mask: AttentionMask,
    _ options: AttentionOptions, _ body: (inout attn_problem) -> AttentionError?
  ) -> AttentionError? {
    var problem = attn_problem_init(
      type.kernelType, Int64(shape.batch), Int64(shape.queryHeads), Int64(shape.keyHeads), Int64(shape.queryLength),
      Int64(shape.keyLength), Int64(shape.headDimension), Int64(shape.valueDimension))
    problem.query.set(shape.queryStrides)
    problem.key.set(shape.keyStrides)
    problem.value.set(shape.valueStrides)
    if let scale { problem.scale = scale }
    if let softcap = options.softcap { problem.softcap = softcap }
    if let dropout = options.dropout {
      problem.dropout_probability = dropout.probability
      problem.dropout_seed = dropout.seed
    }
    problem.causal = mask.isCausal
    problem.window_left = Int64(mask.windowLeft ?? Int(ATTN_UNBOUNDED))
    problem.window_right = Int64(mask.windowRight ?? Int(ATTN_UNBOUNDED))
    guard let threads = Int32(exactly: options.threads ?? 0) else {
      return AttentionError(.threads, "threads is \(options.threads ?? 0)")
    }
    problem.threads = threads
    problem.progress = options.progress?.counter
    if let additive = options.additive {
      problem.additive_stride_head = additive.rank == 2 ? Int64(shape.headDimension) : 0
    }
    do throws(AttentionError) {
      try checkCounts(shape, mask, options)
      if let dense = mask.dense {
        problem.mask.set(try broadcastStrides("mask", of: dense.shape, count: dense.attend.count, over: shape.pairs))
      }
      if let bias = options.bias {
        problem.bias.set(try broadcastStrides("bias", of: bias.shape, count: bias.count, over: shape.pairs))
      }
    } catch {
      return error
    }
    return withMask(mask, &problem) { problem in withOptions(type, options, &problem, body) }
  }

  private static func checkCounts(
    _ shape: AttentionShape, _ mask: AttentionMask, _ options: AttentionOptions
  ) throws(AttentionError) {
    if case .offsets(let offsets) = mask.alignment, offsets.count != shape.batch {
      throw AttentionError(.shape, "\(offsets.count) query offsets were given for a batch of \(shape.batch)")
    }
    if let lengths = mask.lengths, lengths.count != shape.batch {
      throw AttentionError(.shape, "\(lengths.count) key lengths were given for a batch of \(shape.batch)")
    }
    if let slopes = options.alibiSlopes, slopes.count != shape.queryHeads {
      throw AttentionError(.shape, "\(slopes.count) ALiBi slopes were given for \(shape.queryHeads) query heads")
    }
    if let additive = options.additive,
      additive.shape != [shape.headDimension] && additive.shape != [shape.queryHeads, shape.headDimension]
    {
      throw AttentionError(
        .shape,
        "the vector has shape \(additive.shape), expected [\(shape.headDimension)] or [\(shape.queryHeads), \(shape.headDimension)]"
      )
    }
    if let sinks = options.sinks, sinks.count != shape.queryHeads {
      throw AttentionError(.shape, "\(sinks.count) sinks were given for \(shape.queryHeads) query heads")
    }
  }

  private static func withMask(
    _ mask: AttentionMask, _ problem: inout attn_problem, _ body: (inout attn_problem) -> AttentionError?
  ) -> AttentionError? {
    var offsets: [Int]?
    switch mask.alignment {
    case nil: problem.alignment = ATTN_ALIGN_SQUARE
    case .topLeft: problem.alignment = ATTN_ALIGN_TOP_LEFT
    case .bottomRight: problem.alignment = ATTN_ALIGN_BOTTOM_RIGHT
    case .offset(let offset):
      problem.alignment = ATTN_ALIGN_OFFSET
      problem.query_offset = Int64(offset)
    case .offsets(let list):
      problem.alignment = ATTN_ALIGN_OFFSETS
      offsets = list
    }
    return withPointer(to: offsets) { offsets in
      problem.query_offsets = offsets?.assumingMemoryBound(to: Int64.self)
      return withPointer(to: mask.lengths) { lengths in
        problem.key_lengths = lengths?.assumingMemoryBound(to: Int64.self)
        return withPointer(to: mask.dense?.attend) { attend in
          problem.mask.data = attend?.assumingMemoryBound(to: UInt8.self)
          return body(&problem)
        }
      }
    }
  }

  private static func withOptions(
    _ type: AttentionScalarType, _ options: AttentionOptions, _ problem: inout attn_problem,
    _ body: (inout attn_problem) -> AttentionError?
  ) -> AttentionError? {
    withBias(options.bias, &problem) { problem in
      withPointer(to: options.additive?.scalars) { additive in
        problem.additive = additive
        return withHeadOptions(type, options, &problem, body)
      }
    }
  }

  private static func withHeadOptions(
    _ type: AttentionScalarType, _ options: AttentionOptions, _ problem: inout attn_problem,
    _ body: (inout attn_problem) -> AttentionError?
  ) -> AttentionError? {
    withHeadNumbers(options.alibiSlopes, type) { slopes in
      problem.alibi_slopes = slopes
      return withHeadNumbers(options.sinks, type) { sinks in
        problem.sinks = sinks
        guard let name = options.instructionSet else { return body(&problem) }
        return name.withCString { name in
          problem.isa = name
          return body(&problem)
        }
      }
    }
  }

  private static func withBias(
    _ bias: AttentionBias?, _ problem: inout attn_problem, _ body: (inout attn_problem) -> AttentionError?
  ) -> AttentionError? {
    switch bias?.storage {
    case nil:
      return body(&problem)
    case .float(let numbers):
      problem.bias.type = ATTN_F32
      return withPointer(to: numbers) { pointer in
        problem.bias.data = pointer
        return body(&problem)
      }
    case .double(let numbers):
      problem.bias.type = ATTN_F64
      return withPointer(to: numbers) { pointer in
        problem.bias.data = pointer
        return body(&problem)
      }
    }
  }

  /// Calls body with the address of an array's elements; nil for no array. An empty array has an address too.
  fileprivate static func withPointer<Element>(
    to array: [Element]?, _ body: (UnsafeRawPointer?) -> AttentionError?
  ) -> AttentionError? {
    guard let array else { return body(nil) }
    return array.withUnsafeBytes { body($0.baseAddress) }
  }

  /// The numbers in the type computed in, on the stack where they are few.
  private static func withHeadNumbers(
    _ numbers: [Double]?, _ type: AttentionScalarType, _ body: (UnsafeRawPointer?) -> AttentionError?
  ) -> AttentionError? {
    guard let numbers else { return body(nil) }
    if type == .float64 { return withPointer(to: numbers, body) }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(numbers.count, 1)) { floats in
      for (index, number) in numbers.enumerated() { floats.initializeElement(at: index, to: Float(number)) }
      return body(UnsafeRawPointer(floats.baseAddress))
    }
  }
}

extension AttentionPlan {
  /// The plan of the forward pass of a problem, on this machine.
  ///
  /// - Throws: ``AttentionError``, as the call itself would.
  public init(
    shape: AttentionShape, type: AttentionScalarType = .float32, mask: AttentionMask = .none,
    options: AttentionOptions = AttentionOptions()
  ) throws(AttentionError) {
    self.init()
    var info = attn_plan_info()
    if let error = Kernel.plan(type, shape, mask, options, &info) { throw error }
    instructionSet = String(cString: info.isa)
    kernel = String(cString: info.kernel)
    registerTile = [Int(info.register_rows), Int(info.register_columns)]
    scoreTile = [Int(info.block_rows), Int(info.block_keys)]
    itemRows = Int(info.item_rows)
    items = Int(info.items)
    threads = Int(info.threads)
    scratchBytes = Int(info.scratch_bytes)
    fullTiles = Int(info.tiles_full)
    boundaryTiles = Int(info.tiles_boundary)
    skippedTiles = Int(info.tiles_skipped)
    visiblePairs = info.visible_pairs
    flops = info.flops
    executedFlops = info.flops_executed
    bytes = info.bytes
    expectedShare = info.expected_share
  }
}

extension Kernel {
  fileprivate static func plan(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ mask: AttentionMask, _ options: AttentionOptions,
    _ info: inout attn_plan_info
  ) -> AttentionError? {
    withProblem(type, shape, nil, mask, options) { problem in error(attn_plan_forward(&problem, &info)) }
  }
}

extension Kernel {
  /// One direction of one recurrent layer over packed sequences; see attn_recurrence.
  struct Recurrence: Sendable {
    var kind: RecurrentKind
    var batch, hiddenDimensions: Int
    var stepRows: [Int]
    var isReverse: Bool
    var weight: [Float]
    var inputBias, hiddenBias, initialHidden, initialCell: [Float]?

    /// N.
    var rows: Int { stepRows.reduce(0, +) }
    /// K·H.
    var gateWidth: Int { kind.gates * hiddenDimensions }
  }

  /// Turns x·Wihᵀ in `gates` into the gates, and writes the hidden states, [N, H] with rows `hiddenRow` apart.
  static func recurrenceForward(
    _ recurrence: Recurrence, gates: inout [Float], hidden: UnsafeMutablePointer<Float>?, hiddenRow: Int
  ) -> (cell: [Float], finalHidden: [Float], finalCell: [Float]?) {
    let (h, isLSTM) = (recurrence.hiddenDimensions, recurrence.kind == .lstm)
    var cell = written(recurrence.rows * h)
    var finalHidden = written(recurrence.batch * h)
    var finalCell = isLSTM ? written(recurrence.batch * h) : nil
    withLayer(recurrence) { layer in
      gates.withUnsafeMutableBytes { gates in
        cell.withUnsafeMutableBytes { cell in
          finalHidden.withUnsafeMutableBytes { finalHidden in
            withMutablePointer(to: &finalCell) { finalCell in
              var states = attn_recurrence_states(
                gates: gates.baseAddress, cell: cell.baseAddress, hidden: hidden, hidden_row: Int64(hiddenRow),
                final_hidden: finalHidden.baseAddress, final_cell: finalCell)
              check(isLSTM ? attn_lstm_forward(&layer, &states) : attn_gru_forward(&layer, &states), recurrence)
            }
          }
        }
      }
    }
    return (cell, finalHidden, finalCell)
  }

  /// Gradients of all that forward reads: those of x·Wihᵀ are `gates`, [N, K·H].
  struct RecurrenceGradients {
    var gates, weight: [Float]
    var inputBias, hiddenBias: [Float]?
    var initialHidden: [Float]
    var initialCell: [Float]?
  }

  /// From what forward left; `hidden` and `hiddenGradient` are [N, H] with rows `hiddenRow` apart.
  static func recurrenceBackward(
    _ recurrence: Recurrence, gates: [Float], cell: [Float], hidden: UnsafePointer<Float>?,
    hiddenGradient: UnsafePointer<Float>?, hiddenRow: Int, finalHidden: [Float]?, finalCell: [Float]?
  ) -> RecurrenceGradients {
    let (h, isLSTM) = (recurrence.hiddenDimensions, recurrence.kind == .lstm)
    let state = recurrence.batch * h
    var result = RecurrenceGradients(
      gates: written(recurrence.rows * recurrence.gateWidth), weight: written(recurrence.gateWidth * h),
      inputBias: recurrence.inputBias.map { written($0.count) },
      hiddenBias: recurrence.hiddenBias.map { written($0.count) }, initialHidden: written(state),
      initialCell: isLSTM ? written(state) : nil)
    withLayer(recurrence) { layer in
      gates.withUnsafeBytes { gates in
        cell.withUnsafeBytes { cell in
          withGradients(&result, hiddenGradient, hiddenRow, finalHidden, finalCell) { gradients in
            // Read only, in the backward pass.
            var states = attn_recurrence_states(
              gates: UnsafeMutableRawPointer(mutating: gates.baseAddress),
              cell: UnsafeMutableRawPointer(mutating: cell.baseAddress),
              hidden: UnsafeMutableRawPointer(mutating: hidden), hidden_row: Int64(hiddenRow), final_hidden: nil,
              final_cell: nil)
            check(
              isLSTM
                ? attn_lstm_backward(&layer, &states, &gradients) : attn_gru_backward(&layer, &states, &gradients),
              recurrence)
          }
        }
      }
    }
    return result
  }

  /// An array that a kernel is about to write whole.
  fileprivate static func written(_ count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { $1 = count }
  }

  private static func check(_ status: attn_status, _ recurrence: Recurrence) {
    if status != ATTN_OK { fatalError("\(recurrence.kind): \(String(cString: attn_error_message()))") }
  }

  private static func withLayer(_ recurrence: Recurrence, _ body: (inout attn_recurrence) -> Void) {
    var layer = attn_recurrence()
    layer.type = ATTN_F32
    layer.batch = Int64(recurrence.batch)
    layer.hidden = Int64(recurrence.hiddenDimensions)
    layer.steps = Int64(recurrence.stepRows.count)
    layer.reverse = recurrence.isReverse
    recurrence.stepRows.withUnsafeBytes { stepRows in
      layer.step_rows = stepRows.baseAddress?.assumingMemoryBound(to: Int64.self)
      recurrence.weight.withUnsafeBytes { weight in
        layer.weight = weight.baseAddress
        withConstantPointer(to: recurrence.inputBias) { inputBias in
          layer.input_bias = inputBias
          withConstantPointer(to: recurrence.hiddenBias) { hiddenBias in
            layer.hidden_bias = hiddenBias
            withConstantPointer(to: recurrence.initialHidden) { initialHidden in
              layer.initial_hidden = initialHidden
              withConstantPointer(to: recurrence.initialCell) { initialCell in
                layer.initial_cell = initialCell
                body(&layer)
              }
            }
          }
        }
      }
    }
  }

  private static func withGradients(
    _ result: inout RecurrenceGradients, _ hiddenGradient: UnsafePointer<Float>?, _ hiddenRow: Int,
    _ finalHidden: [Float]?, _ finalCell: [Float]?, _ body: (inout attn_recurrence_gradients) -> Void
  ) {
    var gradients = attn_recurrence_gradients()
    gradients.hidden = UnsafeRawPointer(hiddenGradient)
    gradients.hidden_row = Int64(hiddenRow)
    withConstantPointer(to: finalHidden) { finalHidden in
      gradients.final_hidden = finalHidden
      withConstantPointer(to: finalCell) { finalCell in
        gradients.final_cell = finalCell
        result.gates.withUnsafeMutableBytes { gates in
          gradients.gates = gates.baseAddress
          result.weight.withUnsafeMutableBytes { weight in
            gradients.weight = weight.baseAddress
            withMutablePointer(to: &result.inputBias) { inputBias in
              gradients.input_bias = inputBias
              withMutablePointer(to: &result.hiddenBias) { hiddenBias in
                gradients.hidden_bias = hiddenBias
                result.initialHidden.withUnsafeMutableBytes { initialHidden in
                  gradients.initial_hidden = initialHidden.baseAddress
                  withMutablePointer(to: &result.initialCell) { initialCell in
                    gradients.initial_cell = initialCell
                    body(&gradients)
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  fileprivate static func withConstantPointer(to array: [Float]?, _ body: (UnsafeRawPointer?) -> Void) {
    guard let array else { return body(nil) }
    array.withUnsafeBytes { body($0.baseAddress) }
  }

  fileprivate static func withMutablePointer(to array: inout [Float]?, _ body: (UnsafeMutableRawPointer?) -> Void) {
    guard array != nil else { return body(nil) }
    array!.withUnsafeMutableBytes { body($0.baseAddress) }
  }
}

/// The library and the machine it runs on.
public enum AttentionSystem {
  /// Version of the library, "major.minor.patch".
  public static var version: String { String(cString: attn_version()) }

  /// The instruction sets that kernels exist for, best first, and whether this machine has them.
  public static var instructionSets: [(name: String, isAvailable: Bool)] {
    (0..<attn_isa_count()).map { (String(cString: attn_isa_name($0)), attn_isa_available($0)) }
  }

  /// The instruction set that calls use: what `ATTENTION_ISA` names, else the best available; nil when `ATTENTION_ISA`
  /// names none that can run.
  public static var defaultInstructionSet: String? { attn_isa_default().map { String(cString: $0) } }

  /// The number of threads that a call uses unless it says otherwise: OpenMP's choice (`OMP_NUM_THREADS`).
  public static var maximumThreads: Int { Int(attn_max_threads()) }

  /// Bytes of a core's cache of level 1 (data) or 2.
  public static func cacheBytes(level: Int) -> Int { Int(attn_cache_bytes(Int32(level))) }

  /// Frees the scratch memory that is kept from call to call.
  public static func releaseMemory() { attn_release_memory() }
}

extension AttentionProgress {
  /// The work items that have ended, of the ``AttentionPlan/items`` of the call.
  public var completedItems: Int { Int(attn_progress_read(counter)) }
}

/// Slopes of ALiBi for a number of heads (Press et al. 2021, arXiv:2108.12409): 2^(−8(h+1)/heads) for powers of two; for
/// other counts those of the next lower power of two, then every other one of the next higher, as in the authors' code.
public func alibiSlopes(heads: Int) -> [Double] {
  require(heads >= 0, "alibiSlopes: \(heads) heads")
  return [Double](unsafeUninitializedCapacity: heads) { buffer, count in
    _ = attn_alibi_slopes(Int64(heads), buffer.baseAddress)
    count = heads
  }
}

extension AttentionScalarType {
  fileprivate var kernelType: attn_type {
    switch self {
    case .float32: ATTN_F32
    case .float64: ATTN_F64
    case .float16: ATTN_F16
    case .bfloat16: ATTN_BF16
    }
  }
}

extension attn_input {
  fileprivate mutating func set(_ strides: AttentionStrides) {
    stride_batch = Int64(strides.batch)
    stride_head = Int64(strides.head)
    stride_row = Int64(strides.row)
  }
}

extension attn_mask {
  fileprivate mutating func set(_ strides: SIMD4<Int>) {
    stride_batch = Int64(strides[0])
    stride_head = Int64(strides[1])
    stride_row = Int64(strides[2])
    stride_key = Int64(strides[3])
  }
}

extension attn_bias {
  fileprivate mutating func set(_ strides: SIMD4<Int>) {
    stride_batch = Int64(strides[0])
    stride_head = Int64(strides[1])
    stride_row = Int64(strides[2])
    stride_key = Int64(strides[3])
  }
}

extension attn_input {
  fileprivate init(data: UnsafeRawPointer?, _ strides: AttentionStrides) {
    self.init(
      data: data, stride_batch: Int64(strides.batch), stride_head: Int64(strides.head),
      stride_row: Int64(strides.row))
  }
}

extension attn_output {
  fileprivate init(data: UnsafeMutableRawPointer?, _ strides: AttentionStrides) {
    self.init(
      data: data, stride_batch: Int64(strides.batch), stride_head: Int64(strides.head),
      stride_row: Int64(strides.row))
  }
}

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

  private static func check(_ what: String, _ status: attn_status) {
    if status != ATTN_OK { fatalError("\(what): \(String(cString: attn_error_message()))") }
  }
}
