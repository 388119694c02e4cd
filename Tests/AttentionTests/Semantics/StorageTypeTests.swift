import Attention
import AttentionReference
import Testing

@Suite struct StorageTypeTests {
  static let problem = Problem(
    batch: 2, heads: 4, keyHeads: 2, queries: 53, keys: 140, dimension: 17, valueDimension: 10,
    options: ReferenceOptions(
      scale: 1, softcap: 3, causal: true, queryOffsets: [90],
      bias: ReferenceBroadcast(elements: (0..<140).map { Double($0) / 140 }, shape: [140]), sinks: [1, 0, -1, 2]))

  @Test("Line 14: F16 and BF16 storage computes in F32", arguments: availableInstructionSets)
  func halvesComputeInSingle(instructionSet: String) throws {
    for type in AttentionScalarType.testable where type == .float16 || type == .bfloat16 {
      let problem = Self.problem.rounded(to: type)
      let half = try problem.fused(as: type, instructionSet: instructionSet)
      let single = try problem.fused(as: .float32, instructionSet: instructionSet)
      let scalar = type.scalar
      #expect(half.output == single.output.map { scalar.init(rounding: $0).number })
      #expect(half.output != single.output)
      #expect(half.bits.logSumExp == single.bits.logSumExp)
    }
  }

  /// F64 is off by far less than one rounding to Float would leave.
  @Test("Line 14: F64 computes in its own type", arguments: availableInstructionSets)
  func doubleComputesInDouble(instructionSet: String) throws {
    let oracle = Self.problem.reference()
    let fused = try Self.problem.fused(as: .float64, instructionSet: instructionSet)
    let violation = firstViolation(
      "results", fused.output + fused.logSumExp, oracle: oracle.output + oracle.logSumExp, naive: nil
    ) { _ in 0x1p-42 }
    #expect(violation == nil)
  }

  /// Every F16 and BF16 number, loaded as a value of the only key: the output is the number itself.
  @Test("Line 14: all numbers of a storage type pass through unchanged", arguments: Kernel.all)
  func everyHalf(kernel: Kernel) throws {
    guard kernel.type == .float16 || kernel.type == .bfloat16 else { return }
    func run<Scalar: TestScalar>(_: Scalar.Type, _ make: (UInt16) -> Scalar) throws {
      // 4096 columns at a time: as long a row of values as a kernel may see.
      for first in stride(from: 0, to: 65536, by: 4096) {
        let values = (first..<first + 4096).map { make(UInt16($0)) }
        var output = [Scalar](repeating: Scalar(rounding: .nan), count: 4096)
        var span = output.mutableSpan
        let one = [Scalar(rounding: 1)]
        try scaledDotProductAttention(
          queries: one.span, keys: one.span, values: values.span, into: &span,
          shape: AttentionShape(batch: 1, queryHeads: 1, queryLength: 1, headDimension: 1, valueDimension: 4096),
          options: AttentionOptions(instructionSet: kernel.instructionSet))
        for (stored, value) in zip(output, values) where !(stored.number.isNaN && value.number.isNaN) {
          // −0 comes out as +0.
          let expected = value.number == 0 ? Scalar(rounding: 0) : value
          if stored.pattern != expected.pattern {
            Issue.record("\(expected.number) came out as \(stored.number)")
            return
          }
        }
      }
    }
    #if !(os(macOS) && arch(x86_64))
      if kernel.type == .float16 { try run(Float16.self) { Float16(bitPattern: $0) } }
    #endif
    if kernel.type == .bfloat16 { try run(BFloat16.self) { BFloat16(bitPattern: $0) } }
  }
}
