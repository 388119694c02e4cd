import Foundation

/// After a parallel region the workers of LLVM's OpenMP spin for 200 ms and would take a core from whatever is measured
/// next: the peak would come out low and the share of it high. Here they spin for 5 ms, longer than the gap between the
/// calls of a sample, and samples of several threads are followed by a pause longer than that.
enum IdleWorkers {
  private static let spinMilliseconds = 5

  /// Call before the library's first parallel region: the runtime reads its settings once.
  static func configure() { setenv("KMP_BLOCKTIME", String(spinMilliseconds), 1) }

  /// Waits until workers have gone to sleep.
  static func settle() { Thread.sleep(forTimeInterval: 3e-3 * Double(spinMilliseconds)) }
}
