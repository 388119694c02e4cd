/// A dense array of `Float` in row-major order: the last index runs fastest.
///
/// A tensor is a value: copies are independent, and it may be used from many tasks at once. Its numbers are
/// ``scalars``; `tensor.scalars.span` reads them without a copy.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
/// x[1, 2]  // 6
/// ```
public struct Tensor: Sendable, Equatable {
  /// The numbers, row-major; as many as the product of ``shape``.
  public private(set) var scalars: [Float]

  /// The extent of each axis. An empty shape is a single number.
  public private(set) var shape: [Int]

  /// A tensor of the given numbers.
  ///
  /// - Parameters:
  ///   - scalars: The numbers in row-major order.
  ///   - shape: The extents; their product must be `scalars.count`.
  public init(_ scalars: [Float], shape: [Int]) {
    let count = Tensor.count(of: shape)
    require(
      count == scalars.count,
      "Tensor: shape \(shape) holds \(count.map(String.init) ?? "too many") numbers, \(scalars.count) were given")
    self.scalars = scalars
    self.shape = shape
  }

  /// A tensor with every element equal to `value`.
  public init(repeating value: Float, shape: [Int]) {
    guard let count = Tensor.count(of: shape) else {
      fatalError("Tensor: shape \(shape) is negative or too large")
    }
    self.scalars = [Float](repeating: value, count: count)
    self.shape = shape
  }

  /// The number of elements.
  public var count: Int { scalars.count }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// How many elements a step along each axis skips, `strides[k] = shape[k+1] · … · shape[rank-1]`.
  public var strides: [Int] { rowMajorStrides(of: shape) }

  /// The element at the given position, one index an axis, counted from 0.
  public subscript(indices: Int...) -> Float {
    get { scalars[offset(of: indices)] }
    set { scalars[offset(of: indices)] = newValue }
  }

  /// The same numbers under another shape with the same number of elements.
  public func reshaped(to shape: [Int]) -> Tensor {
    require(
      Tensor.count(of: shape) == count, "Tensor: shape \(self.shape) of \(count) numbers cannot become \(shape)")
    return Tensor(scalars, shape: shape)
  }

  /// Calls `body` with the numbers for writing in place.
  public mutating func withMutableScalars<Result, Failure: Error>(
    _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = scalars.mutableSpan
    return try body(&span)
  }

  /// Calls `body` with the array of numbers, to be changed in place but not in number.
  mutating func withScalars<Result>(_ body: (inout [Float]) -> Result) -> Result { body(&scalars) }

  private func offset(of indices: [Int]) -> Int {
    require(
      indices.count == rank && zip(indices, shape).allSatisfy { $0 >= 0 && $0 < $1 },
      "Tensor: index \(indices) is outside shape \(shape)")
    return zip(indices, strides).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The product of a shape, nil when an extent is negative or the product overflows.
  static func count(of shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if extent < 0 || overflow { return nil }
      count = product
    }
    return count
  }
}

func rowMajorStrides(of shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    strides[axis] = strides[axis + 1] * shape[axis + 1]
  }
  return strides
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first numbers, for logs.
  public var description: String {
    let shown = scalars.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor(shape: \(shape), [\(shown)\(count > 8 ? ", …" : "")])"
  }
}
