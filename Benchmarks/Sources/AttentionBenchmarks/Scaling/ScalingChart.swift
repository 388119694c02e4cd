import BenchmarkSupport
import Foundation

/// The results of `scaling` as a figure: the share of the peak, and the speed-up over the naive computation, against
/// the sequence length. Where naive was not measured the second is the speed-up over one thread, or GFLOP/s.
struct ScalingChart {
  let settings: ScalingSettings
  let results: [ScalingResult]

  /// What a line of the chart shows.
  private struct Line {
    let dimension: Int
    let isCausal: Bool
    let instructionSet: String
    let threads: Int
    let style: Series.Style
    let label: String

    func shows(_ result: ScalingResult) -> Bool {
      result.dimension == dimension && result.isCausal == isCausal && result.instructionSet == instructionSet
        && result.threads == threads
    }
  }

  var figure: Figure {
    Figure(
      title: "Fused attention, forward: speed against sequence length",
      subtitles: [
        Machine.current.title,
        "\(settings.type.rawValue) · \(settings.instructionSets.joined(separator: ", ")) · 1 sequence, "
          + "\(settings.heads) heads · swift-attention \(Versions.current.attention) · \(Self.today)",
      ], panels: results.contains { $0.shareOfPeak != nil } ? [sharePanel, secondPanel] : [ratePanel, secondPanel],
      notes: [
        "Medians of \(settings.repetitions) samples taken in turns with the peak and with each other; bars: quartiles, "
          + "cut at the end of the axis. Causal counts visible pairs only."
      ])
  }

  private var secondPanel: Panel {
    if results.contains(where: { $0.speedUpOverNaive != nil }) { return naivePanel }
    return settings.threads.count > 1 && settings.threads.contains(1) ? threadPanel : ratePanel
  }

  private var sharePanel: Panel {
    let most = results.compactMap(\.shareOfPeak).map(\.median).max() ?? 1
    let top = max(100, 100 * most)
    return panel(
      "Share of the arithmetic peak", y: .fromZero(title: peakTitle, to: top) { NumberText.round($0) + " %" },
      \.shareOfPeak, factor: 100)
  }

  private var peakTitle: String {
    let operations = Set(results.compactMap(\.peakOperation)).sorted().joined(separator: " or ")
    return "% of the \(operations) rate of as many threads, measured in the same run"
  }

  private var ratePanel: Panel {
    let most = results.map(\.gigaflops.median).max() ?? 1
    return panel(
      "Arithmetic rate", y: .fromZero(title: "GFLOP/s", to: most, format: NumberText.round), \.rate, factor: 1)
  }

  private var naivePanel: Panel {
    let measured = results.filter { $0.speedUpOverNaive != nil }
    let most = measured.compactMap(\.speedUpOverNaive).map(\.median).max() ?? 1
    let longest = measured.map(\.length).max() ?? 0
    let limit = longest < (settings.lengths.last ?? 0) ? ", measured up to S = \(NumberText.grouped(longest))" : ""
    return panel(
      "Speed-up over the naive computation",
      y: .fromZero(title: "times as fast as textbook loops on one thread\(limit)", to: most, format: Self.times),
      \.speedUpOverNaive, factor: 1)
  }

  private var threadPanel: Panel {
    let most = results.compactMap(\.speedUpOverOneThread).map(\.median).max() ?? 1
    return panel(
      "Speed-up over one thread", y: .fromZero(title: "times as fast as one thread", to: most, format: Self.times),
      \.speedUpOverOneThread, factor: 1)
  }

  private func panel(_ title: String, y: Axis, _ value: KeyPath<ScalingResult, Summary?>, factor: Double) -> Panel {
    let series = lines.map { line in
      Series(
        label: line.label, style: line.style,
        points: results.compactMap { result in
          guard line.shows(result), let summary = result[keyPath: value]?.scaled(by: factor) else { return nil }
          return Series.Point(
            x: Double(result.length), y: summary.median, spread: summary.lowerQuartile...summary.upperQuartile)
        })
    }
    return Panel(title: title, x: .lengths(settings.lengths), y: y, series: series)
  }

  /// Colour says dimension and mask (and instruction set, when there are several), dashes say the thread count, the
  /// most threads solid. More thread counts than dashes are shown by some of them.
  private var lines: [Line] {
    let threads = shownThreads
    var lines: [Line] = []
    var color = 0
    for instructionSet in settings.instructionSets {
      for dimension in settings.dimensions {
        for isCausal in settings.causal {
          for (index, count) in threads.enumerated() {
            let style = Series.Style(
              color: Palette.color(color), dash: Palette.dashes[threads.count - 1 - index], isHollow: isCausal)
            let isa = settings.instructionSets.count > 1 ? "\(instructionSet), " : ""
            lines.append(
              Line(
                dimension: dimension, isCausal: isCausal, instructionSet: instructionSet, threads: count, style: style,
                label: "\(isa)D = \(dimension), \(isCausal ? "causal" : "full"), "
                  + "\(count) \(count == 1 ? "thread" : "threads")"))
          }
          color += 1
        }
        // Without a second mask the lighter colour of the pair is passed over: dimensions stay far apart.
        if settings.causal.count == 1 { color += 1 }
      }
    }
    return lines
  }

  private var shownThreads: [Int] {
    let (all, most) = (settings.threads, Palette.dashes.count)
    guard all.count > most else { return all }
    return (0..<most).map { all[$0 * (all.count - 1) / (most - 1)] }
  }

  private static func times(_ value: Double) -> String { NumberText.round(value) + "×" }

  private static var today: String { Date().formatted(.iso8601.year().month().day()) }
}

extension ScalingResult {
  fileprivate var rate: Summary? { gigaflops }
}
