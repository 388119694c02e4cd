/// Some rows of a table [count, n], the others being 0: the gradient of an embedding, of which a batch touches few rows.
public struct SparseRows: Sendable, Equatable {
  /// Which rows there are, ascending.
  public var rows: [Int]
  /// [rows.count, n].
  public var values: Tensor
  /// How many rows the table has.
  public var count: Int

  /// The rows of a table of `count` rows.
  public init(rows: [Int], values: Tensor, count: Int) {
    require(
      values.rank == 2 && values.shape[0] == rows.count && zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
        && rows.allSatisfy { 0..<count ~= $0 },
      "SparseRows: expected ascending rows below \(count) and values [\(rows.count), n], got \(rows), \(values.shape)")
    self.rows = rows
    self.values = values
    self.count = count
  }

  /// The table, [count, n].
  public var dense: Tensor {
    let width = values.shape[1]
    var table = [Float](repeating: 0, count: count * width)
    for (index, row) in rows.enumerated() {
      table.replaceSubrange(row * width..<(row + 1) * width, with: values.scalars[index * width..<(index + 1) * width])
    }
    return Tensor(table, shape: [count, width])
  }
}

extension Embedding {
  /// The gradient of the table from that of the vectors of `tokens`, [tokens.count, n]: only the rows that occur, sums in
  /// the order of the tokens. The padding's row is left out.
  public func sparseGradient(tokens: [Int], _ gradient: Tensor) -> SparseRows {
    let width = weight.shape[1]
    require(
      gradient.shape == [tokens.count, width],
      "Embedding: expected an output gradient [\(tokens.count), \(width)], got \(gradient.shape)")
    var places = [Int](repeating: -1, count: weight.shape[0])
    for token in tokens where token != paddingIndex { places[token] = 0 }
    var rows: [Int] = []
    for token in places.indices where places[token] == 0 {
      places[token] = rows.count
      rows.append(token)
    }
    let sums = [Float](unsafeUninitializedCapacity: rows.count * width) { sums, count in
      count = rows.count * width
      guard let sum = sums.baseAddress else { return }
      sum.initialize(repeating: 0, count: count)
      gradient.scalars.withUnsafeBufferPointer { gradient in
        for (index, token) in tokens.enumerated() where token != paddingIndex {
          addNumbers(gradient.baseAddress! + index * width, to: sum + places[token] * width, count: width)
        }
      }
    }
    return SparseRows(rows: rows, values: Tensor(sums, shape: [rows.count, width]), count: weight.shape[0])
  }
}

/// sum += x, a vector at a time.
private func addNumbers(_ x: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int) {
  let (x, sum) = (UnsafeRawPointer(x), UnsafeMutableRawPointer(sum))
  var offset = 0
  for _ in 0..<count / 16 {
    let total =
      sum.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
      + x.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
    withUnsafeBytes(of: total) { (sum + offset).copyMemory(from: $0.baseAddress!, byteCount: 64) }
    offset += 64
  }
  while offset < count * 4 {
    let total = sum.load(fromByteOffset: offset, as: Float.self) + x.load(fromByteOffset: offset, as: Float.self)
    sum.storeBytes(of: total, toByteOffset: offset, as: Float.self)
    offset += 4
  }
}
