import Attention

/// A [batch, heads, rows, dimension] array of `Scalar` as an arrangement lays it out. Elements that belong to no row
/// hold NaN: whatever reads them shows, and what writes them is found.
struct StridedArray<Scalar: TestScalar> {
  var storage: [Scalar]
  private let starts: [Int]
  private let dimension: Int
  private let guardBand: Int

  static var filler: Scalar { Scalar(rounding: .nan) }

  /// Without elements, every row holds the filler.
  init(
    _ elements: [Double]? = nil, batch: Int, heads: Int, rows: Int, dimension: Int, arrangement: Arrangement
  ) {
    let strides = arrangement.strides(heads, rows, dimension)
    self.dimension = dimension
    guardBand = arrangement.guardBand
    var starts: [Int] = []
    for b in 0..<batch {
      for h in 0..<heads {
        for i in 0..<rows {
          starts.append(guardBand + b * strides.batch + h * strides.head + i * strides.row)
        }
      }
    }
    self.starts = starts
    let used = starts.isEmpty ? 0 : starts.max()! + dimension - guardBand
    storage = [Scalar](repeating: Self.filler, count: used + 2 * guardBand)
    guard let elements else { return }
    precondition(elements.count == starts.count * dimension)
    for (row, start) in starts.enumerated() {
      for d in 0..<dimension { storage[start + d] = Scalar(rounding: elements[row * dimension + d]) }
    }
  }

  /// Where the rows lie within the guard bands.
  var range: Range<Int> { guardBand..<storage.count - guardBand }

  /// The rows, dense.
  var elements: [Scalar] { starts.flatMap { storage[$0..<$0 + dimension] } }

  /// Whether the elements that belong to no row are as they were.
  var gapsAreIntact: Bool {
    var isGap = [Bool](repeating: true, count: storage.count)
    for start in starts {
      for d in 0..<dimension { isGap[start + d] = false }
    }
    return zip(storage, isGap).allSatisfy { !$1 || $0.pattern == Self.filler.pattern }
  }
}
