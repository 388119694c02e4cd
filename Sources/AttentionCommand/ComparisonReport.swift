/// What `attention compare` prints.
struct ComparisonReport: Encodable {
  var queries: [Int] = []
  var keys: [Int] = []
  var instructionSet = ""
  var threads = 0
  /// Median of the fused runs, and one run of naive, single-threaded.
  var fusedSeconds = 0.0
  var naiveSeconds = 0.0
  /// Growth of the largest resident size.
  var fusedBytes = 0
  var naiveBytes = 0
  /// Largest difference from the oracle.
  var fusedError = 0.0
  var naiveError = 0.0
  /// Largest difference of the fused output from the one recorded in the file.
  var recordedError: Double?

  var text: String {
    var lines = [
      "queries \(queries), keys \(keys), \(instructionSet), \(threads) thread\(threads == 1 ? "" : "s")",
      row("", "fused", "naive"),
      row(
        "time", milliseconds(fusedSeconds),
        "\(milliseconds(naiveSeconds))  (\(significant(naiveSeconds / fusedSeconds)) × fused)"),
      row("memory", bytesText(max(fusedBytes, 0)), bytesText(max(naiveBytes, 0))),
      row("error", exponent(fusedError), exponent(naiveError)),
    ]
    if let recordedError {
      lines.append("largest difference from the output recorded in the file: \(exponent(recordedError))")
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ fused: String, _ naive: String) -> String {
    name.padding(to: 8) + fused.padding(to: 14) + naive
  }

  private func milliseconds(_ seconds: Double) -> String { "\(significant(seconds * 1000)) ms" }

  private func exponent(_ value: Double) -> String { significant(value) }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
