/// Times code on the wall clock.
enum Stopwatch {
  /// The seconds that `body` took.
  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure { try body() }
    return duration / .seconds(1)
  }

  /// Seconds a call over `calls` calls in a row.
  static func seconds(perCallOver calls: Int, _ body: () throws -> Void) rethrows -> Double {
    try seconds { for _ in 0..<calls { try body() } } / Double(calls)
  }

  /// How many calls make a sample of at least `seconds`: found by trying, since a first call tells little.
  static func calls(forAtLeast seconds: Double, _ body: () throws -> Void) rethrows -> Int {
    var calls = 1
    while true {
      let time = try self.seconds { for _ in 0..<calls { try body() } }
      if time >= seconds { return calls }
      // At most tenfold a step, and a tenth more than the estimate, so that a lucky fast trial does not end it short.
      calls = min(calls * 10, Int((1.1 * seconds / max(time, 1e-9) * Double(calls)).rounded(.up)))
    }
  }
}
