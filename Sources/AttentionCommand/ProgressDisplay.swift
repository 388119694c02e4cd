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

  /// Shows what `line` returns until stopped.
  init(line: @escaping @Sendable () -> String) {
    timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 1, repeating: 0.25)
    timer.setEventHandler { standardError("\r\u{1B}[K" + line()) }
    timer.resume()
  }

  /// Shows `label` with what `fraction` returns (0 to 1; nil = not known) until stopped.
  convenience init(_ label: String, fraction: @escaping @Sendable () -> Double?) {
    let start = ContinuousClock.now
    self.init {
      Self.line(label, fraction: fraction(), elapsed: (ContinuousClock.now - start) / .seconds(1))
    }
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
    let left = done > 0.01 ? ", \(seconds(elapsed / done - elapsed)) left" : ""
    return "\(label)  \(bar(done))  \(seconds(elapsed))\(left)"
  }

  /// Such as `[#####---------------]  25 %`.
  static func bar(_ fraction: Double) -> String {
    let done = min(max(fraction, 0), 1)
    let width = 20
    let filled = Int(done * Double(width))
    return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
      + "]  \(Int(done * 100)) %"
  }

  private static func seconds(_ time: Double) -> String { "\((time * 10).rounded() / 10) s" }
}
