import Attention
import AttentionReference
import Foundation
import Safetensors
import Testing

/// Queries, keys and values of a trained transformer with their attention in float64.
struct RecordedInputs: Sendable {
  let problem: Problem
  let output: [Double]
  let logSumExp: [Double]

  /// The repository, from this file's place in it.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static let sample = root.appending(path: "Samples/minilm.safetensors").path
  /// Whole layers, kept beside the checkout where there is room for them.
  static let layers = [0, 5].map { root.appending(path: "../shared/cases/minilm-layer\($0).safetensors").path }
  static var haveLayers: Bool { layers.allSatisfy { FileManager.default.fileExists(atPath: $0) } }

  init(contentsOf path: String) throws {
    let file = try SafetensorsFile(contentsOf: path)
    let (query, key, value) =
      (try file.tensor(named: "query"), try file.tensor(named: "key"), try file.tensor(named: "value"))
    let mask = try file.tensor(named: "key_mask")
    try #require(query.shape.count == 4 && key.shape == query.shape && value.shape == query.shape)
    let shape = ReferenceShape(
      batch: query.shape[0], queryHeads: query.shape[1], keyHeads: query.shape[1], queryLength: query.shape[2],
      keyLength: query.shape[2], headDimension: query.shape[3], valueDimension: query.shape[3])
    var problem = Problem(batch: 0, queries: 0, keys: 0)
    problem.shape = shape
    problem.queries = query.scalars(as: Double.self)
    problem.keys = key.scalars(as: Double.self)
    problem.values = value.scalars(as: Double.self)
    problem.options.mask = ReferenceBroadcast(
      elements: try mask.integers().map { $0 == 1 }, shape: [shape.batch, 1, 1, shape.keyLength])
    self.problem = problem
    output = try file.tensor(named: "output").scalars(as: Double.self)
    logSumExp = try file.tensor(named: "lse").scalars(as: Double.self)
    try #require(output.count == problem.outputCount && logSumExp.count == problem.rowCount && !output.isEmpty)
  }

  /// A part with some of the heads.
  func heads(_ heads: [Int]) -> RecordedInputs { RecordedInputs(self, heads: heads) }

  private init(_ whole: RecordedInputs, heads: [Int]) {
    let (B, H) = (whole.problem.shape.batch, whole.problem.shape.queryHeads)
    let take = { (elements: [Double]) -> [Double] in
      let size = elements.count / (B * H)
      var taken: [Double] = []
      for b in 0..<B {
        for h in heads { taken += elements[(b * H + h) * size..<(b * H + h + 1) * size] }
      }
      return taken
    }
    var problem = whole.problem
    problem.shape.queryHeads = heads.count
    problem.shape.keyHeads = heads.count
    problem.queries = take(problem.queries)
    problem.keys = take(problem.keys)
    problem.values = take(problem.values)
    self.problem = problem
    output = take(whole.output)
    logSumExp = take(whole.logSumExp)
  }

  /// The same mask as the kernels may be told it.
  var masks: [(name: String, mask: AttentionMask)] {
    let (attend, B, Sk) = (problem.options.mask!.elements, problem.shape.batch, problem.shape.keyLength)
    let lengths = (0..<B).map { b in attend[b * Sk..<(b + 1) * Sk].count { $0 } }
    return [
      ("boolean", problem.mask), ("padding", .keyPadding(attend, batch: B, keyLength: Sk)),
      ("lengths", .keyLengths(lengths)),
    ]
  }

  /// Expects every instruction set to agree with the float64 results, with the same bytes for any number of threads.
  func expectAgreement(withNaive: Bool, masks: [(name: String, mask: AttentionMask)]) throws {
    let naive = withNaive ? problem.naive(in: .float32) : nil
    for instructionSet in availableInstructionSets {
      var first: FusedResult.Bits?
      for (name, mask) in masks {
        for threads in [1, 2, 3, 7] {
          let fused = try problem.fused(instructionSet: instructionSet, threads: threads, mask: mask)
          if let first {
            #expect(fused.bits == first, "\(instructionSet), \(name), \(threads) threads")
          } else {
            let violation = problem.violation(
              of: fused, as: .float32, oracle: (output, logSumExp), naive: naive)
            #expect(violation == nil, "\(instructionSet)")
            first = fused.bits
          }
        }
      }
    }
  }
}
