import CAttention

extension Kernel {
  /// Where rows of an array stand: the first one, from row to row, and which of them by number; nil = one after the other.
  struct RowPlaces {
    var offset = 0
    var stride: Int
    var index: [Int64]?
  }

  /// Copies rows of `columns` numbers; a negative source makes zeros. See attn_copy_rows.
  static func copyRows(
    _ rows: Int, columns: Int, of source: [Float], _ from: RowPlaces, to destination: inout [Float], _ to: RowPlaces
  ) {
    source.withUnsafeBufferPointer { source in
      destination.withUnsafeMutableBufferPointer { destination in
        let src = source.baseAddress.map { $0 + from.offset }, dst = destination.baseAddress.map { $0 + to.offset }
        withIndex(from.index) { fromIndex in
          withIndex(to.index) { toIndex in
            check(
              "copy of rows",
              attn_copy_rows(
                ATTN_F32, Int64(rows), Int64(columns), src, Int64(from.stride), fromIndex, dst, Int64(to.stride),
                toIndex, 0))
          }
        }
      }
    }
  }

  private static func withIndex(_ index: [Int64]?, _ body: (UnsafePointer<Int64>?) -> Void) {
    guard let index else { return body(nil) }
    index.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
