import Attention
import AttentionReference
import Testing

/// The first element of x that is farther from the oracle than 2·|naive − oracle| + slack, in words; nil when none is.
///
/// NaN and infinities must be those of the oracle. Arrays of different lengths, and a naive result that is not finite
/// where the oracle is, are violations too.
func firstViolation(
  _ name: String, _ x: [Double], oracle: [Double], naive: [Double]?, slack: (Int) -> Double
) -> String? {
  guard x.count == oracle.count, naive.map({ $0.count == oracle.count }) ?? true else {
    return "\(name) has \(x.count) elements, the oracle \(oracle.count), naive \(naive?.count ?? oracle.count)"
  }
  for index in x.indices {
    let (got, expected) = (x[index], oracle[index])
    guard expected.isFinite else {
      if got == expected || got.isNaN && expected.isNaN { continue }
      return "\(name)[\(index)] is \(got), the oracle's \(expected)"
    }
    let naiveError = naive.map { ($0[index] - expected).magnitude } ?? 0
    let allowed = 2 * naiveError + slack(index)
    if !((got - expected).magnitude <= allowed) || !allowed.isFinite {
      return """
        \(name)[\(index)] is \(got), the oracle's \(expected): \((got - expected).magnitude) apart, allowed \
        \(allowed), of which slack \(slack(index))
        """
    }
  }
  return nil
}

extension Problem {
  /// Where the library's answer to this problem, stored as `type`, breaks the bound, on any of the instruction sets; nil
  /// when nowhere. The problem must be one that `type` holds exactly.
  func violation(
    as type: AttentionScalarType, instructionSets: [String] = availableInstructionSets, threads: Int? = nil,
    arrangement: Arrangement = Arrangement(), mask: AttentionMask? = nil
  ) throws -> String? {
    precondition(!instructionSets.isEmpty)
    let oracle = reference()
    let naive = naive(in: type)
    for name in instructionSets {
      let fused = try fused(
        as: type, instructionSet: name, threads: threads, arrangement: arrangement, mask: mask)
      if let violation = violation(
        of: fused, as: type, oracle: (oracle.output, oracle.logSumExp), naive: naive)
      {
        return "\(name), \(type): \(violation)"
      }
    }
    return nil
  }

  func violation(
    of fused: FusedResult, as type: AttentionScalarType, oracle: (output: [Double], logSumExp: [Double]),
    naive: (output: [Double], logSumExp: [Double])?
  ) -> String? {
    let bound = RoundingBound(self, type: type, oracle: oracle.logSumExp)
    let scalar = type.scalar
    let isHalf = type == .float16 || type == .bfloat16
    return firstViolation("output", fused.output, oracle: oracle.output, naive: naive?.output) { index in
      let slack = bound.output[index / shape.valueDimension]
      return isHalf ? slack + scalar.halfUlp(at: oracle.output[index].magnitude + slack) : slack
    }
      ?? firstViolation("logSumExp", fused.logSumExp, oracle: oracle.logSumExp, naive: naive?.logSumExp) { row in
        bound.logSumExp[row]
      }
  }
}

/// Expects the library to agree with the oracle on a problem, for each type and on every instruction set.
func expectAgreement(
  _ problem: Problem, as types: [AttentionScalarType] = AttentionScalarType.testable, threads: Int? = nil,
  arrangement: Arrangement = Arrangement(), mask: AttentionMask? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  for type in types {
    let problem = problem.rounded(to: type)
    let violation = try problem.violation(as: type, threads: threads, arrangement: arrangement, mask: mask)
    #expect(violation == nil, "\(problem), \(arrangement)", sourceLocation: sourceLocation)
  }
}

/// Every combination of a type and an instruction set of this machine.
struct Kernel: Sendable, CustomTestStringConvertible {
  let instructionSet: String
  let type: AttentionScalarType

  var testDescription: String { "\(instructionSet), \(type)" }

  static let all = availableInstructionSets.flatMap { name in
    AttentionScalarType.testable.map { Kernel(instructionSet: name, type: $0) }
  }
}
