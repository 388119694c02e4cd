import BenchmarkSupport

/// The results of `memory` as lines of text.
struct MemoryTable {
  private let table = TextTable([
    .init("S", width: 7), .init("", width: 5, side: .left), .init("extra MiB", width: 9), .init("min…max", width: 15),
    .init("planned MiB", width: 11), .init("in+out MiB", width: 10), .init("S×S floats MiB", width: 14),
    .init("first call", width: 10),
  ])

  var header: String { table.header }

  func line(_ result: MemoryResult) -> String {
    let scores = Double(MemoryLayout<Float>.size * result.length * result.length)
    return table.line([
      NumberText.grouped(result.length), result.implementation.rawValue, mebibytes(result.extraBytes.median),
      "\(mebibytes(result.extraBytes.minimum))…\(mebibytes(result.extraBytes.maximum))",
      result.implementation == .fused ? mebibytes(Double(result.plannedBytes)) : "–",
      mebibytes(Double(result.argumentBytes)), mebibytes(scores), NumberText.time(result.seconds.median),
    ])
  }

  private func mebibytes(_ bytes: Double) -> String { NumberText.fixed(bytes / 0x1p20, digits: bytes < 0x1p24 ? 2 : 0) }
}
