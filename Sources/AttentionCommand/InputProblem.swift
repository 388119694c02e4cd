import Attention
import AttentionReference
import Safetensors

/// An attention problem read from a safetensors file: tensors, sizes and options, checked for consistency, ready for the
/// kernels and for the oracle. Arrays of the layout `bshd` are read as [B, S, H, D].
struct InputProblem {
  let file: String
  let layout: AttentionLayout
  let type: AttentionScalarType
  let shape: AttentionShape
  let query, key, value: SafetensorsTensor
  /// With it, gradients are wanted.
  let outputGradient: SafetensorsTensor?
  let scale: Double?
  let mask: AttentionMask
  var options: AttentionOptions
  let reference: ReferenceOptions

  init(path: String, layout: AttentionLayout, arguments: ProblemOptions) throws(CommandFailure) {
    let source = try InputTensors(path: path)
    query = try source.required("query")
    key = try source.required("key")
    value = try source.required("value")
    file = path
    self.layout = layout
    type = try source.scalarType(of: [query, key, value])
    let shape = try source.shape(query: query, key: key, value: value, layout: layout)
    self.shape = shape
    scale = arguments.scale
    try arguments.check(computingIn: type)

    let lengths = try source.integers("key_lengths", count: shape.batch)
    let offsets = try source.integers("query_offsets", count: shape.batch)
    let padding = try source.booleans("key_mask", shape: [shape.batch, shape.keyLength])
    let dense = try source.booleans("mask", broadcastTo: shape)
    let bias = try source.numbers("bias", broadcastTo: shape)
    let slopes = try source.numbers("alibi_slopes", count: shape.queryHeads)
    let sinks = try source.numbers("sinks", count: shape.queryHeads)
    outputGradient = try source.outputGradient(of: shape, type: query.type, layout: layout)

    var mask = AttentionMask.window(left: arguments.window?.left, right: arguments.window?.right)
    // A file's offsets replace the alignment that --causal names.
    if let offsets {
      mask = mask & (arguments.causal == nil ? .aligned(queryOffsets: offsets) : .causal(queryOffsets: offsets))
    } else if let causal = arguments.causal {
      mask = mask & causal.mask
    }
    if let lengths {
      for (batch, length) in lengths.enumerated() where length < 0 || length > shape.keyLength {
        throw .badInput(
          "\(path): tensor \"key_lengths\": sequence \(batch) has length \(length), expected 0 to \(shape.keyLength)")
      }
      mask = mask & .keyLengths(lengths)
    }
    if let padding { mask = mask & .keyPadding(padding, batch: shape.batch, keyLength: shape.keyLength) }
    if let dense { mask = mask & .boolean(dense.elements, shape: dense.shape) }
    self.mask = mask

    options = AttentionOptions(
      softcap: arguments.softcap, alibiSlopes: slopes, sinks: sinks,
      dropout: arguments.dropout.map { AttentionDropout(probability: $0, seed: arguments.seed ?? 0) },
      threads: arguments.threads)
    if let bias {
      options.bias =
        type == .float64
        ? AttentionBias(bias.elements, shape: bias.shape)
        : AttentionBias(Tensor(bias.elements.map { Float($0) }, shape: bias.shape))
    }

    // The oracle takes one dense mask, so the padding is folded into it.
    let oracleMask: (elements: [Bool], shape: [Int])? =
      switch (padding, dense) {
      case (nil, let dense): dense
      case (let padding?, nil): (padding, [shape.batch, 1, 1, shape.keyLength])
      case (let padding?, let dense?):
        conjunction(dense, with: padding, batch: shape.batch, keyLength: shape.keyLength)
      }
    reference = ReferenceOptions(
      scale: arguments.scale, softcap: arguments.softcap ?? 0, causal: arguments.causal != nil,
      queryOffsets: offsets?.map(withinReach)
        ?? [arguments.causal?.offset(queryLength: shape.queryLength, keyLength: shape.keyLength) ?? 0],
      windowLeft: arguments.window?.left, windowRight: arguments.window?.right, keyLengths: lengths,
      mask: oracleMask.map { ReferenceBroadcast(elements: $0.elements, shape: $0.shape) },
      bias: bias.map { ReferenceBroadcast(elements: $0.elements, shape: $0.shape) }, alibiSlopes: slopes, sinks: sinks,
      dropoutProbability: arguments.dropout ?? 0, dropoutSeed: arguments.seed ?? 0)
  }

  /// Of the output in the file's layout.
  var outputShape: [Int] {
    layout == .bhsd
      ? [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension]
      : [shape.batch, shape.queryLength, shape.queryHeads, shape.valueDimension]
  }

  var referenceShape: ReferenceShape {
    ReferenceShape(
      batch: shape.batch, queryHeads: shape.queryHeads, keyHeads: shape.keyHeads, queryLength: shape.queryLength,
      keyLength: shape.keyLength, headDimension: shape.headDimension, valueDimension: shape.valueDimension)
  }

  /// Queries, keys and values in [B, H, S, D] order, whatever the file's layout.
  func scalars<Scalar: BinaryFloatingPoint & Sendable>(
    as type: Scalar.Type
  ) -> (queries: [Scalar], keys: [Scalar], values: [Scalar]) {
    (ordered(query), ordered(key), ordered(value))
  }

  /// The numbers of a tensor of the file's layout in [B, H, S, D] order.
  func ordered<Scalar: BinaryFloatingPoint & Sendable>(_ tensor: SafetensorsTensor) -> [Scalar] {
    let scalars = tensor.scalars(as: Scalar.self)
    let axes = tensor.shape
    return layout == .bhsd ? scalars : swappingMiddleAxes(scalars, batch: axes[0], axes[1], axes[2], axes[3])
  }

  /// The converse for numbers of a tensor of `shape`, that of the file.
  func inFileOrder(_ scalars: [Double], shape: [Int]) -> [Double] {
    layout == .bhsd ? scalars : swappingMiddleAxes(scalars, batch: shape[0], shape[2], shape[1], shape[3])
  }
}

/// [B, X, Y, D] to [B, Y, X, D].
func swappingMiddleAxes<Scalar>(
  _ scalars: [Scalar], batch: Int, _ first: Int, _ second: Int, _ dimension: Int
) -> [Scalar] {
  var result: [Scalar] = []
  result.reserveCapacity(scalars.count)
  for b in 0..<batch {
    for y in 0..<second {
      for x in 0..<first {
        let start = ((b * first + x) * second + y) * dimension
        result.append(contentsOf: scalars[start..<start + dimension])
      }
    }
  }
  return result
}

/// A mask of at most four axes, and a key mask [B, Sk]: what both let through, broadcast to four axes.
private func conjunction(
  _ dense: (elements: [Bool], shape: [Int]), with padding: [Bool], batch: Int, keyLength: Int
) -> (elements: [Bool], shape: [Int]) {
  let mask = ReferenceBroadcast(elements: dense.elements, shape: dense.shape)
  let extents = [Int](repeating: 1, count: 4 - dense.shape.count) + dense.shape
  var elements: [Bool] = []
  for b in 0..<batch {
    for h in 0..<extents[1] {
      for i in 0..<extents[2] {
        for j in 0..<keyLength {
          let own = mask.element(
            batch: extents[0] == 1 ? 0 : b, head: h, query: i, key: extents[3] == 1 ? 0 : j)
          elements.append(own && padding[b * keyLength + j])
        }
      }
    }
  }
  return (elements, [batch, extents[1], extents[2], keyLength])
}
