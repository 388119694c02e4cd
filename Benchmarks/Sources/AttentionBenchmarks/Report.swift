import Attention
import BenchmarkSupport
import Foundation

/// What `--json` writes. The README documents it.
struct Report<Settings: Encodable, Result: Encodable>: Encodable {
  let schema = "swift-attention-benchmarks/1"
  let benchmark: String
  let date = Date()
  let machine = Machine.current
  let versions = Versions.current
  let settings: Settings
  let results: [Result]

  init(_ benchmark: String, settings: Settings, results: [Result]) {
    self.benchmark = benchmark
    self.settings = settings
    self.results = results
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

extension Figure {
  func write(to path: String) throws {
    try Data(svg.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
