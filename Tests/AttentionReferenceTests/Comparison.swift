/// The largest difference of two arrays. Equal elements (equal infinities too) differ by 0; anything else that
/// involves NaN, an infinity or arrays of different lengths differs by ∞.
func largestDifference(_ x: [Double], _ y: [Double]) -> Double {
  guard x.count == y.count else { return .infinity }
  return zip(x, y).reduce(0) { largest, pair in
    let difference = pair.0 == pair.1 ? 0 : (pair.0 - pair.1).magnitude
    return max(largest, difference.isNaN ? .infinity : difference)
  }
}

/// The bits of each element, with all NaNs alike.
func bits(_ numbers: [Double]) -> [UInt64] {
  numbers.map { $0.isNaN ? Double.nan.bitPattern : $0.bitPattern }
}
