import BenchmarkSupport

/// The results of `scaling` as lines of text.
struct ScalingTable {
  private let table = TextTable([
    .init("S", width: 6), .init("D", width: 4), .init("mask", width: 6, side: .left),
    .init("kernel", width: 12, side: .left), .init("threads"), .init("time", width: 8),
    .init("quartiles", width: 19), .init("GFLOP/s", width: 8), .init("peak", width: 7), .init("of peak", width: 7),
    .init("quartiles", width: 11), .init("vs 1 thread"), .init("vs naive", width: 8), .init("max |Δ|", width: 8),
  ])

  var header: String { table.header }

  func line(_ result: ScalingResult) -> String {
    table.line([
      "\(result.length)", "\(result.dimension)", result.isCausal ? "causal" : "full", result.kernel,
      "\(result.threads)", NumberText.time(result.seconds.median),
      "\(NumberText.time(result.seconds.lowerQuartile))…\(NumberText.time(result.seconds.upperQuartile))",
      NumberText.significant(result.gigaflops.median),
      result.peakGigaflops.map { NumberText.significant($0.median) } ?? "–",
      result.shareOfPeak.map { percent($0.median) + " %" } ?? "–",
      result.shareOfPeak.map { "\(percent($0.lowerQuartile))…\(percent($0.upperQuartile)) %" } ?? "–",
      result.speedUpOverOneThread.map { NumberText.fixed($0.median, digits: 2) + "×" } ?? "–",
      result.speedUpOverNaive.map { NumberText.significant($0.median) + "×" } ?? "–",
      NumberText.scientific(result.maximumDifference),
    ])
  }

  private func percent(_ share: Double) -> String { NumberText.fixed(100 * share, digits: 0) }
}
