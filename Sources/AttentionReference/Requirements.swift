/// A precondition whose message is printed in release builds too.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  guard condition else { fatalError(message()) }
}

/// Stops with a message that names both sides when sizes, counts or options do not fit each other.
func requireConsistent(
  queryCount: Int, keyCount: Int, valueCount: Int, shape: ReferenceShape, options: ReferenceOptions
) {
  requireValid(shape)
  let (B, H, G) = (shape.batch, shape.queryHeads, shape.keyHeads)
  let (Sq, Sk, D, Dv) = (shape.queryLength, shape.keyLength, shape.headDimension, shape.valueDimension)
  requireCount("queries", queryCount, axes: "[B, H, Sq, D]", [B, H, Sq, D])
  requireCount("keys", keyCount, axes: "[B, G, Sk, D]", [B, G, Sk, D])
  requireCount("values", valueCount, axes: "[B, G, Sk, Dv]", [B, G, Sk, Dv])
  requireValid(options)
  requireFits(options, shape)
}

/// Stops with a message when the gradient of the output has not the output's size.
func requireOutputGradient(count: Int, shape: ReferenceShape) {
  requireCount(
    "outputGradient", count, axes: "[B, H, Sq, Dv]",
    [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension])
}

private func requireValid(_ shape: ReferenceShape) {
  require(
    shape.batch >= 0 && shape.queryLength >= 0 && shape.keyLength >= 0,
    "batch, queryLength and keyLength must not be negative, got \(shape)")
  require(
    shape.queryHeads >= 1 && shape.keyHeads >= 1 && shape.headDimension >= 1 && shape.valueDimension >= 1,
    "queryHeads, keyHeads, headDimension and valueDimension must be at least 1, got \(shape)")
  require(
    shape.queryHeads.isMultiple(of: shape.keyHeads),
    "queryHeads (\(shape.queryHeads)) is not a multiple of keyHeads (\(shape.keyHeads))")
}

private func requireCount(_ name: String, _ count: Int, axes: String, _ sizes: [Int]) {
  let expected = sizes.reduce(1, *)
  require(count == expected, "\(name) \(axes) = \(sizes) needs \(expected) elements, got \(count)")
}

private func requireValid(_ options: ReferenceOptions) {
  if let scale = options.scale {
    require(scale.isFinite, "scale must be finite, got \(scale)")
  }
  require(
    options.softcap.isFinite && options.softcap >= 0, "softcap must be finite and not negative, got \(options.softcap)")
  for (name, side) in [("windowLeft", options.windowLeft), ("windowRight", options.windowRight)] {
    require(side ?? 0 >= 0, "\(name) must not be negative (nil is unbounded), got \(side ?? 0)")
  }
  for offset in options.queryOffsets {
    require(offset.magnitude <= 1 << 62, "a query offset must be within ±2^62, got \(offset)")
  }
  let probability = options.dropoutProbability
  require(probability >= 0 && probability < 1, "dropoutProbability must be in [0, 1), got \(probability)")
}

private func requireFits(_ options: ReferenceOptions, _ shape: ReferenceShape) {
  let offsets = options.queryOffsets.count
  require(
    offsets <= 1 || offsets == shape.batch, "queryOffsets needs 0, 1 or B = \(shape.batch) elements, got \(offsets)")
  if let lengths = options.keyLengths {
    require(lengths.count == shape.batch, "keyLengths [B] needs \(shape.batch) elements, got \(lengths.count)")
    for (b, length) in lengths.enumerated() {
      require(
        (0...shape.keyLength).contains(length), "keyLengths[\(b)] must be in 0...\(shape.keyLength), got \(length)")
    }
  }
  if let additive = options.additive {
    let (H, D) = (shape.queryHeads, shape.headDimension)
    require(
      additive.count == D || additive.count == H * D,
      "additive [D] or [H, D] needs \(D) or \(H * D) elements, got \(additive.count)")
  }
  for (name, perHead) in [("alibiSlopes", options.alibiSlopes), ("sinks", options.sinks)] {
    guard let perHead else { continue }
    require(
      perHead.count == shape.queryHeads, "\(name) [H] needs \(shape.queryHeads) elements, got \(perHead.count)")
  }
  let pairs = [shape.batch, shape.queryHeads, shape.queryLength, shape.keyLength]
  if let mask = options.mask {
    require(mask.broadcasts(to: pairs), "mask of shape \(mask.shape) does not broadcast to [B, H, Sq, Sk] = \(pairs)")
  }
  if let bias = options.bias {
    require(bias.broadcasts(to: pairs), "bias of shape \(bias.shape) does not broadcast to [B, H, Sq, Sk] = \(pairs)")
  }
}
