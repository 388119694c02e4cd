/// Strides with which an array of `shape` reads as an array of extents `target` under NumPy's rules: missing leading axes
/// and axes of extent 1 repeat. Throws when it does not fit. Allocates nothing.
func broadcastStrides(
  _ name: String, of shape: [Int], count: Int, over target: SIMD4<Int>
) throws(AttentionError) -> SIMD4<Int> {
  var strides = SIMD4<Int>.zero
  var step = 1
  var fits = shape.count <= 4
  for axis in stride(from: 3, through: max(0, 4 - shape.count), by: -1) where fits {
    let extent = shape[axis - (4 - shape.count)]
    if extent == target[axis] {
      strides[axis] = extent == 1 ? 0 : step
    } else {
      fits = extent == 1
    }
    step *= extent
  }
  guard fits else {
    throw AttentionError(
      .shape, "\(name) has shape \(shape), which does not broadcast to \((0..<4).map { target[$0] })")
  }
  guard step == count else { throw AttentionError(.shape, "\(name) of shape \(shape) holds \(count) elements") }
  return strides
}

/// The extents that two shapes of at most four axes broadcast to, nil when they do not.
func broadcastExtents(_ a: [Int], _ b: [Int]) -> SIMD4<Int>? {
  guard a.count <= 4, b.count <= 4 else { return nil }
  var extents = SIMD4<Int>(repeating: 1)
  for axis in 0..<4 {
    let x = axis < 4 - a.count ? 1 : a[axis - (4 - a.count)]
    let y = axis < 4 - b.count ? 1 : b[axis - (4 - b.count)]
    if x != y && x != 1 && y != 1 { return nil }
    extents[axis] = x == 1 ? y : x
  }
  return extents
}
