import AttentionReference
import Foundation
import Safetensors
import Testing

/// Queries, keys and values of a trained transformer, with the output and log-sum-exp computed in double precision.
@Suite struct RecordedLayersTests {
  /// The checkout.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let sample = root.appendingPathComponent("Samples/minilm.safetensors").path
  /// Whole layers, where they lie beside the checkout.
  static let layers = [0, 5].map { layer in
    root.deletingLastPathComponent().appendingPathComponent("shared/cases/minilm-layer\(layer).safetensors").path
  }

  @Test func sample() throws {
    try expectRecordedResults(Self.sample)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: layers[0])), arguments: layers)
  func wholeLayers(path: String) throws {
    try expectRecordedResults(path)
  }

  /// Fused on every instruction set, with 1, 2, 3 and 7 threads to the same bytes.
  ///
  /// The bound, as in ``Tolerance`` without the textbook code's own error: with A = D·scale·max|q|·max|k| a weight is
  /// relatively off by 2·(D + c)·u·A + (Sk + c)·u, and weights sum to 1 over values of at most V.
  private func expectRecordedResults(_ path: String) throws {
    let file = try SafetensorsFile(contentsOf: path)
    func numbers(_ name: String) throws -> [Double] { try file.tensor(named: name).scalars(as: Double.self) }
    func largest(_ name: String) throws -> Double { try numbers(name).map(\.magnitude).max() ?? 0 }
    let shape = try file.tensor(named: "query").shape
    #expect(shape.count == 4)
    let (D, Sk, u) = (Double(shape[3]), Double(try file.tensor(named: "key").shape[2]), 0x1p-24)
    let A = D.squareRoot() * (try largest("query")) * (try largest("key"))
    let scoreBound = (D + 8) * A * u
    let outputBound = try largest("value") * (2 * scoreBound + (Sk + 8) * u)
    let (output, logSumExp) = (try numbers("output"), try numbers("lse"))
    #expect(output.contains { $0 != 0 } && output.allSatisfy(\.isFinite))

    #expect(!AttentionExecutable.instructionSets.isEmpty)
    for name in AttentionExecutable.instructionSets {
      let directory = try TemporaryDirectory()
      let files = try [1, 2, 3, 7].map { threads in
        let path = (input: path, output: directory.file("\(threads)"))
        expectSilentSuccess(
          try attention(
            ["run", path.input, "-o", path.output, "--threads", "\(threads)"], environment: ["ATTENTION_ISA": name]))
        return try bytes(of: path.output)
      }
      #expect(files.allSatisfy { $0 == files[0] }, "\(name)")
      let result = try ResultFile(bytes: files[0])
      #expect(
        result.descriptions == [
          "output": .init(type: .f32, shape: shape), "lse": .init(type: .f32, shape: Array(shape[..<3])),
        ])
      #expect(
        firstDifference("output", try result.numbers("output"), output, within: outputBound, storedAs: .f32) == nil)
      #expect(
        firstDifference(
          "lse", try result.numbers("lse"), logSumExp, within: scoreBound + (Sk + 8) * u, storedAs: .f32) == nil)
    }
  }

  /// `compare` sees the recorded output.
  @Test func compare() throws {
    let outcome = try attention("compare", Self.sample, "--repetitions", "1", "--json")
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output)) as? [String: Any])
    let recorded = try #require(report["recordedError"] as? Double)
    let fused = try #require(report["fusedError"] as? Double)
    #expect(recorded > 0 && recorded < 1e-4)
    // Both are differences from the same numbers in double precision.
    #expect(abs(recorded - fused) < 1e-10)
  }
}
