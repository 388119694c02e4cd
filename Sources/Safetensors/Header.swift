/// The header of a file: what the tensors are and where their bytes lie.
struct Header: Sendable {
  /// The limit of the format, in bytes.
  static let maximumLength = 100_000_000

  /// NumPy's limit. It keeps the memory for a hostile header in proportion to the header.
  static let maximumRank = 64

  static let lengthByteCount = 8
  static let metadataKey = "__metadata__"

  struct Entry: Sendable {
    let name: String
    let type: SafetensorsType
    let shape: [Int]
    /// Offsets into the data section, `begin` ≤ `end`.
    let begin: Int
    let end: Int
  }

  var metadata: [String: String] = [:]
  /// In the order of the data.
  var entries: [Entry] = []
  /// Where the data section begins in the file.
  var dataOffset = 0
}

extension SafetensorsType {
  /// product(shape) · element size. Throws where the product overflows with zero extents left out, so that every
  /// stride of an accepted shape fits into `Int` too.
  func byteCount(ofShape shape: [Int]) throws(SafetensorsError) -> Int {
    guard shape.count <= Header.maximumRank else {
      throw SafetensorsError(.tooManyAxes(limit: Header.maximumRank))
    }
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw SafetensorsError(.negativeExtent(shape: shape))
    }
    var product = byteCount
    for extent in shape where extent != 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw SafetensorsError(.shapeOverflow(type: self, shape: shape)) }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }
}
