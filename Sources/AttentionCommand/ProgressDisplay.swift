@preconcurrency import Dispatch

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A line on stderr that says how far long work has come: on a terminal only, and after a second.
final class ProgressDisplay: Sendable {
  /// Whether stderr is a terminal.
  static var isWanted: Bool { isatty(2) == 1 }

  private let timer: any DispatchSourceTimer
  private let queue = DispatchQueue(label: "progress")

  /// Shows `label` with what `fraction` returns (0 to 1; nil = not known) until stopped.
  init(_ label: String, fraction: @escaping @Sendable () -> Double?) {
    timer = DispatchSource.makeTimerSource(queue: queue)
    let start = ContinuousClock.now
    timer.schedule(deadline: .now() + 1, repeating: 0.25)
    timer.setEventHandler {
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      standardError("\r\u{1B}[K" + ProgressDisplay.line(label, fraction: fraction(), elapsed: elapsed))
    }
    timer.resume()
  }

  /// Ends the display and clears its line.
  func stop() {
    timer.cancel()
    queue.sync {}
    standardError("\r\u{1B}[K")
  }

  /// Such as `attention  [#####---------------]  25 %  2.1 s, 6.3 s left`.
  static func line(_ label: String, fraction: Double?, elapsed: Double) -> String {
    guard let fraction else { return "\(label)  \(seconds(elapsed))" }
    let done = min(max(fraction, 0), 1)
    let width = 20
    let filled = Int(done * Double(width))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    let left = done > 0.01 ? ", \(seconds(elapsed / done - elapsed)) left" : ""
    return "\(label)  [\(bar)]  \(Int(done * 100)) %  \(seconds(elapsed))\(left)"
  }

  private static func seconds(_ time: Double) -> String { "\((time * 10).rounded() / 10) s" }
}
