// The files of this folder alone import the C library: everything of it that Swift sees passes through here.
import CAttention

/// The C library as the rest of the module calls it: arrays and options of Swift in, statuses as errors out.
enum Kernel {
  static func error(_ status: attn_status) -> AttentionError? {
    status == ATTN_OK
      ? nil
      : AttentionError(
        AttentionError.Code(rawValue: Int(status.rawValue)) ?? .uninitialized, String(cString: attn_error_message()))
  }

  /// Builds the C problem around pointers into the Swift arrays, which live for the duration of `body`.
  static func withProblem(
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
  static func withPointer<Element>(
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
  init(data: UnsafeRawPointer?, _ strides: AttentionStrides) {
    self.init(
      data: data, stride_batch: Int64(strides.batch), stride_head: Int64(strides.head),
      stride_row: Int64(strides.row))
  }
}

extension attn_output {
  init(data: UnsafeMutableRawPointer?, _ strides: AttentionStrides) {
    self.init(
      data: data, stride_batch: Int64(strides.batch), stride_head: Int64(strides.head),
      stride_row: Int64(strides.row))
  }
}
