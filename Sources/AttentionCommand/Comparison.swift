import Attention
import AttentionReference
import Safetensors

/// One problem run three ways: fused, naive and by the oracle.
struct Comparison {
  let report: ComparisonReport

  /// A problem from a file; computed in Double when the file is F64, else in Float.
  init(of problem: InputProblem, repetitions: Int) throws(CommandFailure) {
    do throws(AttentionError) {
      report =
        problem.type == .float64
        ? try Self.measure(
          Self.fused(problem.scalars(as: Double.self), problem), problem.reference, problem.referenceShape, repetitions,
          recorded: Self.recorded(problem), problem)
        : try Self.measure(
          Self.fused(problem.scalars(as: Float.self), problem), problem.reference, problem.referenceShape, repetitions,
          recorded: Self.recorded(problem), problem)
    } catch {
      throw .badInput(problem.file, error)
    }
  }

  /// Random queries, keys and values, uniform in [−1, 1), always the same ones.
  init(ofRandom shape: AttentionShape, _ arguments: ProblemOptions, repetitions: Int) throws(CommandFailure) {
    try Self.checkMemory(shape)
    try arguments.check(computingIn: .float32)
    var generator = SplitMix64(state: 1)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1..<1, using: &generator) } }
    let rows = shape.batch * shape.queryHeads * shape.queryLength
    let keyRows = shape.batch * shape.keyHeads * shape.keyLength
    let inputs = Inputs(
      queries: numbers(rows * shape.headDimension), keys: numbers(keyRows * shape.headDimension),
      values: numbers(keyRows * shape.valueDimension), shape: shape, scale: arguments.scale, mask: arguments.mask,
      options: AttentionOptions(
        softcap: arguments.softcap,
        dropout: arguments.dropout.map { AttentionDropout(probability: $0, seed: arguments.seed ?? 0) },
        threads: arguments.threads))
    let reference = ReferenceOptions(
      scale: arguments.scale, softcap: arguments.softcap ?? 0, causal: arguments.causal != nil,
      queryOffsets: [arguments.causal?.offset(queryLength: shape.queryLength, keyLength: shape.keyLength) ?? 0],
      windowLeft: arguments.window?.left, windowRight: arguments.window?.right,
      dropoutProbability: arguments.dropout ?? 0, dropoutSeed: arguments.seed ?? 0)
    do throws(AttentionError) {
      report = try Self.measure(
        inputs, reference,
        ReferenceShape(
          batch: shape.batch, queryHeads: shape.queryHeads, keyHeads: shape.keyHeads, queryLength: shape.queryLength,
          keyLength: shape.keyLength, headDimension: shape.headDimension, valueDimension: shape.valueDimension),
        repetitions, recorded: nil, nil)
    } catch {
      throw .usage(error.message)
    }
  }

  /// Refuses shapes whose inputs, results and naive scores this machine's memory cannot hold.
  private static func checkMemory(_ shape: AttentionShape) throws(CommandFailure) {
    let rows = Double(shape.batch) * Double(shape.queryHeads) * Double(shape.queryLength)
    let keyRows = Double(shape.batch) * Double(shape.keyHeads) * Double(shape.keyLength)
    let numbers = (rows + keyRows) * Double(shape.headDimension + shape.valueDimension)
    // Inputs and outputs in Float and again in Double for the oracle, and one head's scores.
    let bytes = numbers * 16 + Double(shape.queryLength) * Double(shape.keyLength) * 8
    guard bytes < Double(Machine.memoryBytes) else {
      throw .usage(
        "\(shape) takes \(significant(bytes / 1e9)) GB; this machine has \(significant(Double(Machine.memoryBytes) / 1e9))"
      )
    }
  }

  /// What the fused call needs, contiguous [B, H, S, D].
  private struct Inputs<Scalar: AttentionScalar> {
    var queries, keys, values: [Scalar]
    var shape: AttentionShape
    var scale: Double?
    var mask: AttentionMask
    var options: AttentionOptions
  }

  private static func fused<Scalar: AttentionScalar>(
    _ scalars: (queries: [Scalar], keys: [Scalar], values: [Scalar]), _ problem: InputProblem
  ) -> Inputs<Scalar> {
    let s = problem.shape
    return Inputs(
      queries: scalars.queries, keys: scalars.keys, values: scalars.values,
      shape: AttentionShape(
        batch: s.batch, queryHeads: s.queryHeads, keyHeads: s.keyHeads, queryLength: s.queryLength,
        keyLength: s.keyLength, headDimension: s.headDimension, valueDimension: s.valueDimension),
      scale: problem.scale, mask: problem.mask, options: problem.options)
  }

  /// The tensor "output" of the file as [B, H, Sq, Dv], when it has the right shape.
  private static func recorded(_ problem: InputProblem) -> [Double]? {
    let shape = problem.shape
    guard let file = try? SafetensorsFile(contentsOf: problem.file), let output = try? file.tensor(named: "output"),
      output.type.isFloatingPoint
    else { return nil }
    let numbers = output.scalars(as: Double.self)
    switch problem.layout {
    case .bhsd:
      return output.shape == [shape.batch, shape.queryHeads, shape.queryLength, shape.valueDimension] ? numbers : nil
    case .bshd:
      guard output.shape == [shape.batch, shape.queryLength, shape.queryHeads, shape.valueDimension] else { return nil }
      return swappingMiddleAxes(
        numbers, batch: shape.batch, shape.queryLength, shape.queryHeads, shape.valueDimension)
    }
  }

  private static func measure<Scalar: NaiveScalar>(
    _ inputs: Inputs<Scalar>, _ reference: ReferenceOptions, _ referenceShape: ReferenceShape, _ repetitions: Int,
    recorded: [Double]?, _ problem: InputProblem?
  ) throws(AttentionError) -> ComparisonReport {
    let shape = inputs.shape
    let display = ProgressDisplay.isWanted ? ProgressDisplay("compare") { nil } : nil
    defer { display?.stop() }
    let rows = shape.batch * shape.queryHeads * shape.queryLength
    var output = [Scalar](repeating: 0, count: rows * shape.valueDimension)

    var times: [Double] = []
    let fusedBytes = try Machine.residentGrowth { () throws(AttentionError) in
      for _ in 0..<repetitions {
        let start = ContinuousClock.now
        var span = output.mutableSpan
        try scaledDotProductAttention(
          queries: inputs.queries.span, keys: inputs.keys.span, values: inputs.values.span, into: &span, shape: shape,
          scale: inputs.scale, mask: inputs.mask, options: inputs.options)
        times.append((ContinuousClock.now - start) / .seconds(1))
      }
    }
    var naive: [Scalar] = []
    let start = ContinuousClock.now
    let naiveBytes = Machine.residentGrowth {
      naive = Scalar.naive(inputs.queries, inputs.keys, inputs.values, referenceShape, reference)
    }
    let naiveTime = (ContinuousClock.now - start) / .seconds(1)
    let exact = referenceAttention(
      queries: inputs.queries.map { Double($0) }, keys: inputs.keys.map { Double($0) },
      values: inputs.values.map { Double($0) }, shape: referenceShape, options: reference
    ).output

    var report = ComparisonReport()
    report.queries = [shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension]
    report.keys = [shape.batch, shape.keyHeads, shape.keyLength, shape.headDimension]
    report.instructionSet = inputs.options.instructionSet ?? AttentionSystem.defaultInstructionSet ?? ""
    report.threads =
      try AttentionPlan(shape: shape, type: Scalar.scalarType, mask: inputs.mask, options: inputs.options).threads
    report.fusedSeconds = times.sorted()[times.count / 2]
    report.naiveSeconds = naiveTime
    report.fusedBytes = fusedBytes
    report.naiveBytes = naiveBytes
    report.fusedError = largestDifference(output, exact)
    report.naiveError = largestDifference(naive, exact)
    report.recordedError = recorded.map { largestDifference(output, $0) }
    return report
  }
}

/// The types that naive attention runs in here.
private protocol NaiveScalar: AttentionScalar, BinaryFloatingPoint {
  static func naive(
    _ queries: [Self], _ keys: [Self], _ values: [Self], _ shape: ReferenceShape, _ options: ReferenceOptions
  ) -> [Self]
}

extension Float: NaiveScalar {
  fileprivate static func naive(
    _ queries: [Float], _ keys: [Float], _ values: [Float], _ shape: ReferenceShape, _ options: ReferenceOptions
  ) -> [Float] {
    naiveAttention(queries: queries, keys: keys, values: values, shape: shape, options: options).output
  }
}

extension Double: NaiveScalar {
  fileprivate static func naive(
    _ queries: [Double], _ keys: [Double], _ values: [Double], _ shape: ReferenceShape, _ options: ReferenceOptions
  ) -> [Double] {
    naiveAttention(queries: queries, keys: keys, values: values, shape: shape, options: options).output
  }
}

/// The largest |a − b|; numbers that are not finite on both sides alike count as equal, otherwise as infinitely apart.
private func largestDifference<Scalar: BinaryFloatingPoint>(_ a: [Scalar], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { largest, pair in
    let x = Double(pair.0)
    if x == pair.1 || (x.isNaN && pair.1.isNaN) { return largest }
    let difference = (x - pair.1).magnitude
    return difference.isFinite ? max(largest, difference) : .infinity
  }
}

/// Sebastiano Vigna's splitmix64: small, and the same numbers on every machine.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
