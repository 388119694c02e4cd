import Attention
import Safetensors

/// The tensors of an input file by name, each checked for type and shape as it is taken.
struct InputTensors {
  let path: String
  let file: SafetensorsFile

  init(path: String) throws(CommandFailure) {
    self.path = path
    do throws(SafetensorsError) {
      file = try SafetensorsFile(contentsOf: path)
    } catch {
      throw .badInput(error)
    }
  }

  func contains(_ name: String) -> Bool { file.contains(name) }

  func required(_ name: String) throws(CommandFailure) -> SafetensorsTensor {
    do throws(SafetensorsError) {
      return try file.tensor(named: name)
    } catch {
      throw .badInput(error)
    }
  }

  private func optional(_ name: String) throws(CommandFailure) -> SafetensorsTensor? {
    contains(name) ? try required(name) : nil
  }

  private func failure(_ tensor: String, _ expected: String, _ actual: String) -> CommandFailure {
    .badInput("\(path): tensor \"\(tensor)\": expected \(expected), found \(actual)")
  }

  /// The one type of query, key and value.
  func scalarType(of tensors: [SafetensorsTensor]) throws(CommandFailure) -> AttentionScalarType {
    for tensor in tensors {
      guard AttentionScalarType(tensor.type) != nil else {
        throw failure(tensor.name, "type F32, F64, F16 or BF16", tensor.type.rawValue)
      }
      guard tensor.type == tensors[0].type else {
        throw failure(tensor.name, "type \(tensors[0].type.rawValue) as \(tensors[0].name)", tensor.type.rawValue)
      }
    }
    return AttentionScalarType(tensors[0].type)!
  }

  func shape(
    query: SafetensorsTensor, key: SafetensorsTensor, value: SafetensorsTensor, layout: AttentionLayout
  ) throws(CommandFailure) -> AttentionShape {
    let axes = layout == .bhsd ? "[batch, heads, length, dimension]" : "[batch, length, heads, dimension]"
    for tensor in [query, key, value] where tensor.shape.count != 4 {
      throw failure(tensor.name, "four axes \(axes)", "shape \(tensor.shape)")
    }
    let (heads, length) = layout == .bhsd ? (1, 2) : (2, 1)
    let (q, k, v) = (query.shape, key.shape, value.shape)
    guard q[3] > 0, q[heads] > 0 else { throw failure("query", "at least one head and dimension", "shape \(q)") }
    guard v[3] > 0 else { throw failure("value", "a dimension of at least 1", "shape \(v)") }
    guard k[0] == q[0], k[3] == q[3] else {
      throw failure("key", "batch \(q[0]) and dimension \(q[3]) as query", "shape \(k)")
    }
    guard k[heads] > 0, q[heads] % k[heads] == 0 else {
      throw failure("key", "a number of heads that divides the query's \(q[heads])", "\(k[heads])")
    }
    guard v[0] == k[0], v[heads] == k[heads], v[length] == k[length] else {
      throw failure("value", "batch, heads and length of the key, shape \(k)", "shape \(v)")
    }
    for tensor in [query, key, value] where tensor.shape.contains(where: { $0 > Int(Int32.max) }) {
      throw failure(tensor.name, "sizes of at most \(Int32.max)", "shape \(tensor.shape)")
    }
    // Results may be larger than the inputs; they must be countable, even those that a size of 0 makes empty.
    let results = [q[0], q[heads], q[length], max(k[length], v[3], 1) * 8]
    let count = results.reduce(Optional(1)) { count, size in
      guard let (product, overflow) = count?.multipliedReportingOverflow(by: max(size, 1)), !overflow else {
        return nil
      }
      return product
    }
    guard count != nil else {
      throw failure("query", "a shape whose results can be addressed", "\(q) with key \(k) and value \(v)")
    }
    return AttentionShape(
      batch: q[0], queryHeads: q[heads], keyHeads: k[heads], queryLength: q[length], keyLength: k[length],
      headDimension: q[3], valueDimension: v[3], layout: layout)
  }

  /// The gradient of the output, of its shape and of the type of the inputs.
  func outputGradient(
    of shape: AttentionShape, type: SafetensorsType, layout: AttentionLayout
  ) throws(CommandFailure) -> SafetensorsTensor? {
    guard let tensor = try optional("output_gradient") else { return nil }
    guard tensor.type == type else {
      throw failure(tensor.name, "type \(type.rawValue) as query", tensor.type.rawValue)
    }
    let expected =
      layout == .bhsd
      ? [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension]
      : [shape.batch, shape.queryLength, shape.queryHeads, shape.valueDimension]
    guard tensor.shape == expected else { throw failure(tensor.name, "shape \(expected)", "\(tensor.shape)") }
    return tensor
  }

  func integers(_ name: String, count: Int) throws(CommandFailure) -> [Int]? {
    guard let tensor = try optional(name) else { return nil }
    guard tensor.shape == [count] else { throw failure(name, "shape [\(count)]", "\(tensor.shape)") }
    do throws(SafetensorsError) {
      return try tensor.integers()
    } catch {
      throw .badInput(error)
    }
  }

  func numbers(_ name: String, count: Int) throws(CommandFailure) -> [Double]? {
    guard let tensor = try optional(name) else { return nil }
    guard tensor.shape == [count] else { throw failure(name, "shape [\(count)]", "\(tensor.shape)") }
    guard tensor.type.isFloatingPoint else { throw failure(name, "a floating-point type", tensor.type.rawValue) }
    return tensor.scalars(as: Double.self)
  }

  func numbers(
    _ name: String, broadcastTo shape: AttentionShape
  ) throws(CommandFailure) -> (elements: [Double], shape: [Int])? {
    guard let tensor = try optional(name) else { return nil }
    guard tensor.type.isFloatingPoint else { throw failure(name, "a floating-point type", tensor.type.rawValue) }
    try checkBroadcast(tensor, shape)
    return (tensor.scalars(as: Double.self), tensor.shape)
  }

  func booleans(_ name: String, shape: [Int]) throws(CommandFailure) -> [Bool]? {
    guard let tensor = try optional(name) else { return nil }
    guard tensor.shape == shape else { throw failure(name, "shape \(shape)", "\(tensor.shape)") }
    return try booleans(tensor)
  }

  func booleans(
    _ name: String, broadcastTo shape: AttentionShape
  ) throws(CommandFailure) -> (elements: [Bool], shape: [Int])? {
    guard let tensor = try optional(name) else { return nil }
    try checkBroadcast(tensor, shape)
    return (try booleans(tensor), tensor.shape)
  }

  private func booleans(_ tensor: SafetensorsTensor) throws(CommandFailure) -> [Bool] {
    guard tensor.type == .bool || tensor.type == .u8 else {
      throw failure(tensor.name, "type BOOL or U8", tensor.type.rawValue)
    }
    return tensor.withUnsafeBytes { bytes in bytes.map { $0 != 0 } }
  }

  private func checkBroadcast(_ tensor: SafetensorsTensor, _ shape: AttentionShape) throws(CommandFailure) {
    let target = [shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength]
    let fits =
      tensor.shape.count <= 4 && zip(tensor.shape.reversed(), target.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
    guard fits else { throw failure(tensor.name, "a shape that broadcasts to \(target)", "\(tensor.shape)") }
  }
}

extension AttentionScalarType {
  init?(_ type: SafetensorsType) {
    switch type {
    case .f32: self = .float32
    case .f64: self = .float64
    case .f16: self = .float16
    case .bf16: self = .bfloat16
    default: return nil
    }
  }

  /// The type in files of what is stored in this type.
  var fileType: SafetensorsType {
    switch self {
    case .float32: .f32
    case .float64: .f64
    case .float16: .f16
    case .bfloat16: .bf16
    }
  }

  /// The type in files of what is computed for this type: log-sum-exp, weights and scores.
  var computeFileType: SafetensorsType { self == .float64 ? .f64 : .f32 }
}
