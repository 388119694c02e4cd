extension ReferenceOptions {
  /// Whether any pair can be invisible.
  var hidesPairs: Bool {
    causal || windowLeft != nil || windowRight != nil || keyLengths != nil || mask != nil
  }

  /// j − (i + offset): how far key j stands to the right of query i.
  func relativePosition(batch b: Int, query i: Int, key j: Int) -> Int {
    let offset = queryOffsets.isEmpty ? 0 : queryOffsets.count == 1 ? queryOffsets[0] : queryOffsets[b]
    return (j - i) - offset
  }

  /// Whether query i may attend to key j: the key length, causality, both sides of the window and the mask all allow
  /// it.
  func isVisible(batch b: Int, head h: Int, query i: Int, key j: Int) -> Bool {
    let position = relativePosition(batch: b, query: i, key: j)
    if let keyLengths, j >= keyLengths[b] { return false }
    if causal, position > 0 { return false }
    if let windowLeft, position < -windowLeft { return false }
    if let windowRight, position > windowRight { return false }
    if let mask, !mask.element(batch: b, head: h, query: i, key: j) { return false }
    return true
  }
}
