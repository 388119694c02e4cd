/// How far a call has come, for display while it runs on another thread. Give a new one to each call.
public final class AttentionProgress: Sendable, Equatable {
  // Written by the kernels and read here, both atomically.
  nonisolated(unsafe) let counter: UnsafeMutablePointer<Int64>

  /// A progress at 0 items.
  public init() {
    counter = .allocate(capacity: 1)
    counter.initialize(to: 0)
  }

  deinit { counter.deallocate() }

  /// Whether two are the same object.
  public static func == (a: AttentionProgress, b: AttentionProgress) -> Bool { a === b }
}
