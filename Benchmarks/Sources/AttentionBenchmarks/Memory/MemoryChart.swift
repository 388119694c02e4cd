import BenchmarkSupport
import Foundation

/// The results of `memory` as a figure: extra memory against sequence length, both logarithmic, so that a law of growth
/// is a slope.
struct MemoryChart {
  let settings: MemorySettings
  let results: [MemoryResult]

  var figure: Figure {
    let values = results.map { $0.extraBytes.median / 0x1p20 }.filter { $0 > 0 }
    let low = min(0.5, 0.7 * (values.min() ?? 1))
    let high = 2 * max(values.max() ?? 1, guideTop)
    let y = Axis(
      title: "MiB above inputs and output", kind: .logarithmic, domain: low...high,
      ticks: Ticks.logarithmic(low...high),
      format: { $0 < 1 ? NumberText.round($0) : NumberText.grouped(Int($0.rounded())) })
    return Figure(
      title: "Attention, forward: peak memory against sequence length",
      subtitles: [
        Machine.current.title,
        "float32 · \(settings.instructionSet) · D = \(settings.dimension), 1 sequence, \(settings.heads) "
          + "\(settings.heads == 1 ? "head" : "heads"), \(settings.isCausal ? "causal" : "full") · "
          + "\(settings.threads) \(settings.threads == 1 ? "thread" : "threads") · "
          + "swift-attention \(Versions.current.attention) · \(Date().formatted(.iso8601.year().month().day()))",
      ],
      panels: [
        Panel(
          title: "Extra resident memory of one call", x: .lengths(settings.lengths), y: y,
          series: [
            line(.naive, label: "naive: stores the scores", Series.Style(color: Palette.color(2), isHollow: true)),
            line(.fused, label: "fused", Series.Style(color: Palette.color(0))),
          ], guides: [guide], hasDirectLabels: true)
      ],
      notes: [
        "Each measurement in a fresh process; it includes what a first call brings in: code, the threading runtime, "
          + "threads. Bars: smallest and largest of \(settings.repetitions)."
      ])
  }

  /// The S × S floats of one head, drawn as far as the chart's lengths go.
  private var guide: Panel.Guide {
    let (first, last) = (settings.lengths.first ?? 1, settings.lengths.last ?? 1)
    return Panel.Guide(
      label: "S × S floats", from: (Double(first), scores(first)), to: (Double(last), scores(last)))
  }

  private var guideTop: Double { scores(settings.lengths.last ?? 1) }

  private func scores(_ length: Int) -> Double { 4 * Double(length) * Double(length) / 0x1p20 }

  /// A measurement of nothing has no place on a logarithmic axis and is left out.
  private func line(_ implementation: Implementation, label: String, _ style: Series.Style) -> Series {
    Series(
      label: label, style: style,
      points: results.compactMap { result in
        let extra = result.extraBytes.scaled(by: 0x1p-20)
        guard result.implementation == implementation, extra.minimum > 0 else { return nil }
        return Series.Point(x: Double(result.length), y: extra.median, spread: extra.minimum...extra.maximum)
      })
  }
}
