/// An array that is broadcast to [B, H, Sq, Sk] by NumPy's rules.
///
/// Axes are aligned at the last one; an axis of size 1, or one that is absent, repeats. So [Sk] is a row for every
/// query, [Sq, Sk] one matrix for all heads, [B, 1, 1, Sk] a padding mask and [] a single element for all pairs.
public struct ReferenceBroadcast<Element: Sendable>: Sendable {
  /// The elements in row-major order.
  public let elements: [Element]
  /// The sizes of 0 to 4 axes, whose product is the number of elements.
  public let shape: [Int]

  /// Elements to step for a step in b, h, i and j: 0 along an axis that repeats.
  private let strides: SIMD4<Int>

  /// Wraps row-major elements. Stops with a message when there are more than four axes, an axis is negative, or the
  /// number of elements is not the product of the shape.
  public init(elements: [Element], shape: [Int]) {
    require(shape.count <= 4, "a broadcast array of shape \(shape) has more than the 4 axes of [B, H, Sq, Sk]")
    require(shape.allSatisfy { $0 >= 0 }, "a broadcast array of shape \(shape) has a negative size")
    let count = shape.reduce(1, *)
    require(
      elements.count == count, "a broadcast array of shape \(shape) needs \(count) elements, got \(elements.count)")
    self.elements = elements
    self.shape = shape

    var strides = SIMD4<Int>(repeating: 0)
    var stride = 1
    for (axis, size) in zip((0..<4).reversed(), shape.reversed()) {
      strides[axis] = size == 1 ? 0 : stride
      stride *= size
    }
    self.strides = strides
  }

  /// The element that the pair of query i and key j reads in batch b and head h.
  ///
  /// The array must broadcast to a [B, H, Sq, Sk] that holds the pair; only the bounds of `elements` are checked here.
  public func element(batch b: Int, head h: Int, query i: Int, key j: Int) -> Element {
    elements[index(batch: b, head: h, query: i, key: j)]
  }

  /// Where in `elements` that element is.
  func index(batch b: Int, head h: Int, query i: Int, key j: Int) -> Int {
    b * strides[0] + h * strides[1] + i * strides[2] + j * strides[3]
  }

  /// Whether the array can be broadcast to [B, H, Sq, Sk].
  func broadcasts(to target: [Int]) -> Bool {
    zip(shape.reversed(), target.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
  }
}
