extension AttentionMask {
  /// The mask over `extra` more keys before the first, which every query attends to.
  ///
  /// Lengths and causal parts stay bounds that cost nothing. A window, and a query that stands before the first key,
  /// would miss some of the new keys: these are written out, [B or 1, H or 1, Sq or 1, extra + Sk] truth values.
  func extended(by extra: Int, over shape: AttentionShape) -> AttentionMask {
    if extra == 0 || self == .none { return self }
    checkExtents(shape)
    let hasWindow = windowLeft != nil || windowRight != nil
    let offsets = (0..<shape.batch).map {
      positionOffset(batch: $0, queryLength: shape.queryLength, keyLength: shape.keyLength)
    }
    let writesPositions = hasWindow || isCausal && offsets.contains { $0 < 0 }
    var mask = AttentionMask.none
    if let lengths { mask = mask & .keyLengths(lengths.map { $0 + extra }) }
    if isCausal && !writesPositions { mask = mask & .causal(queryOffsets: offsets.map { $0 + extra }) }
    if let written = written(extra, offsets: writesPositions ? offsets : nil, shape) { mask = mask & written }
    return mask
  }

  /// The dense part, and with `offsets` the causal part and the window, as one mask over the longer keys.
  private func written(_ extra: Int, offsets: [Int]?, _ shape: AttentionShape) -> AttentionMask? {
    if dense == nil && offsets == nil { return nil }
    let extents = dense.flatMap { broadcastExtents($0.shape, []) } ?? SIMD4(repeating: 1)
    let strides = dense.flatMap {
      try? broadcastStrides("mask", of: $0.shape, count: $0.attend.count, over: shape.pairs)
    }
    let batch = offsetsOfSequences != nil && offsets != nil ? shape.batch : extents[0]
    let rows = offsets == nil ? extents[2] : shape.queryLength
    var attend: [Bool] = []
    attend.reserveCapacity(batch * extents[1] * rows * (extra + shape.keyLength))
    for b in 0..<batch {
      for h in 0..<extents[1] {
        for i in 0..<rows {
          attend += [Bool](repeating: true, count: extra)
          for j in 0..<shape.keyLength {
            var visible = offsets.map { isInReach(j - i - $0[b]) } ?? true
            if let dense, let strides { visible = visible && dense.attend[(SIMD4(b, h, i, j) &* strides).wrappedSum()] }
            attend.append(visible)
          }
        }
      }
    }
    return .boolean(attend, shape: [batch, extents[1], rows, extra + shape.keyLength])
  }

  /// Whether the causal part and the window show a key that stands so far ahead of the query.
  private func isInReach(_ ahead: Int) -> Bool {
    (!isCausal || ahead <= 0) && ahead <= windowRight ?? .max && -ahead <= windowLeft ?? .max
  }

  /// How far query i of sequence b stands ahead of key i.
  func positionOffset(batch b: Int, queryLength: Int, keyLength: Int) -> Int {
    switch alignment {
    case nil, .topLeft: 0
    case .bottomRight: keyLength - queryLength
    case .offset(let offset): offset
    case .offsets(let offsets): offsets[b]
    }
  }

  /// What the kernels would refuse, before the extension hides it from them.
  private func checkExtents(_ shape: AttentionShape) {
    require(
      (lengths ?? []).allSatisfy { 0...shape.keyLength ~= $0 } && lengths?.count ?? shape.batch == shape.batch,
      "attention: key lengths \(lengths ?? []) do not fit \(shape)")
    require(
      (offsetsOfSequences?.count ?? shape.batch) == shape.batch,
      "attention: query offsets \(offsetsOfSequences ?? []) do not fit \(shape)")
    require(
      !isCausal || alignment != nil || shape.queryLength == shape.keyLength,
      "attention: a causal mask over different lengths needs an alignment (\(shape))")
    if let dense {
      stopping(on: shape) { () throws(AttentionError) in
        _ = try broadcastStrides("mask", of: dense.shape, count: dense.attend.count, over: shape.pairs)
      }
    }
  }

  private var offsetsOfSequences: [Int]? {
    if case .offsets(let offsets) = alignment { return offsets }
    return nil
  }
}
