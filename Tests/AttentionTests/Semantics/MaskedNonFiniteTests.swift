import Attention
import AttentionReference
import Testing

@Suite struct MaskedNonFiniteTests {
  static let sizes = (queries: 60, keys: 150, dimension: 9)

  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: ReferenceOptions
    /// Keys that no query of the batch sees.
    let hidden: [Int]
  }

  static let examples = [
    Example(
      testDescription: "mask",
      options: ReferenceOptions(
        mask: ReferenceBroadcast(elements: (0..<150).map { ![0, 7, 64, 127, 128, 149].contains($0) }, shape: [150])),
      hidden: [0, 7, 64, 127, 128, 149]),
    Example(
      testDescription: "key lengths", options: ReferenceOptions(keyLengths: [131]), hidden: Array(131..<150)),
    Example(
      testDescription: "causal", options: ReferenceOptions(causal: true, queryOffsets: [70]),
      hidden: Array(130..<150)),
    Example(
      testDescription: "window",
      options: ReferenceOptions(queryOffsets: [40], windowLeft: 3, windowRight: 4),
      hidden: Array(0..<37) + Array(104..<150)),
    Example(
      testDescription: "everything else in use",
      options: ReferenceOptions(
        softcap: 2, keyLengths: [129], bias: ReferenceBroadcast(elements: [0.5], shape: []), alibiSlopes: [0.1],
        sinks: [0.5], dropoutProbability: 0.3), hidden: Array(129..<150)),
  ]

  @Test("Line 3: NaN and infinity in masked keys and values change no bits", arguments: examples, Kernel.all)
  func changesNothing(example: Example, kernel: Kernel) throws {
    let (queries, keys, dimension) = Self.sizes
    let clean = Problem(queries: queries, keys: keys, dimension: dimension, options: example.options)
    let expected = try clean.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    #expect(expected.output.allSatisfy(\.isFinite) && expected.output.contains { $0 != 0 })
    for poison in [Double.nan, .infinity, -.infinity] {
      var poisoned = clean
      for key in example.hidden {
        for d in 0..<dimension {
          poisoned.setKey(poison, key: key, at: d)
          poisoned.setValue(poison, key: key, at: d)
        }
      }
      let result = try poisoned.fused(as: kernel.type, instructionSet: kernel.instructionSet)
      #expect(result.bits == expected.bits, "\(poison)")
    }
  }

  @Test("Line 3: what one query may not see does not leak from one that may", arguments: Kernel.all)
  func rowsAreSeparate(kernel: Kernel) throws {
    let (queries, keys, dimension) = Self.sizes
    let clean = Problem(
      queries: queries, keys: keys, dimension: dimension, options: ReferenceOptions(causal: true))
    var poisoned = clean
    // Visible to query 30 and later ones only, as their last key or among others.
    for d in 0..<dimension { poisoned.setValue(.nan, key: 30, at: d) }
    poisoned.setKey(.nan, key: 30)
    let expected = try clean.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    let result = try poisoned.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    let untouched = 30 * dimension
    #expect(result.bits.output[..<untouched] == expected.bits.output[..<untouched])
    #expect(result.bits.logSumExp[..<30] == expected.bits.logSumExp[..<30])
    #expect(result.output[untouched...].allSatisfy { $0.isNaN })
    #expect(result.logSumExp[30...].allSatisfy { $0.isNaN })
  }

  @Test("Line 3: a non-finite bias of a masked pair changes no bits", arguments: Kernel.all)
  func bias(kernel: Kernel) throws {
    var clean = Problem(queries: 3, keys: 20)
    clean.options.mask = ReferenceBroadcast(elements: (0..<20).map { $0 != 5 && $0 != 17 }, shape: [20])
    clean.options.bias = ReferenceBroadcast(elements: [Double](repeating: 0.5, count: 20), shape: [20])
    var poisoned = clean
    var bias = [Double](repeating: 0.5, count: 20)
    bias[5] = .nan
    bias[17] = .infinity
    poisoned.options.bias = ReferenceBroadcast(elements: bias, shape: [20])
    let result = try poisoned.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    let expected = try clean.fused(as: kernel.type, instructionSet: kernel.instructionSet)
    #expect(result.bits == expected.bits)
    #expect(result.output.allSatisfy { $0.isFinite })
  }
}
