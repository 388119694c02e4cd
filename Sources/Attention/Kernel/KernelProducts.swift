import CAttention

extension Kernel {
  /// Row-major C = op(A) op(B); see attn_matmul.
  static func matrixProduct(
    _ a: [Float], transposingA transposeA: Bool = false, _ b: [Float], transposingB transposeB: Bool = false, m: Int,
    n: Int, k: Int
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: m * n) { c, count in
      let status = attn_matmul(
        ATTN_F32, transposeA, transposeB, Int64(m), Int64(n), Int64(k), a, Int64(transposeA ? m : k), b,
        Int64(transposeB ? k : n), c.baseAddress, Int64(n), false, 0)
      if status != ATTN_OK { fatalError("matrix product: \(String(cString: attn_error_message()))") }
      count = m * n
    }
  }

  /// Row-major C += A B; see attn_matmul.
  static func addMatrixProduct(_ a: [Float], _ b: [Float], to c: inout [Float], m: Int, n: Int, k: Int) {
    let status = attn_matmul(
      ATTN_F32, false, false, Int64(m), Int64(n), Int64(k), a, Int64(k), b, Int64(n), &c, Int64(n), true, 0)
    if status != ATTN_OK { fatalError("matrix product: \(String(cString: attn_error_message()))") }
  }
}
