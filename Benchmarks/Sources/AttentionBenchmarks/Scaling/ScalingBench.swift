import Attention
import BenchmarkSupport

/// Measures all contenders of a shape in turns.
struct ScalingBench<Scalar: BenchmarkScalar> {
  let settings: ScalingSettings
  private var budget: NaiveBudget

  init(settings: ScalingSettings) {
    self.settings = settings
    budget = NaiveBudget(limitSeconds: settings.naiveLimitSeconds)
  }

  /// The results of one length and dimension. `status` hears what is going on.
  mutating func measure(
    length: Int, dimension: Int, status: (String) -> Void
  ) throws -> [ScalingResult] {
    let inputs = Inputs<Scalar>(heads: settings.heads, length: length, dimension: dimension, seed: 1)
    let naiveInputs = inputs.naive
    var output = [Scalar](repeating: Scalar(rounding: 0), count: inputs.queries.count)

    status("naive")
    var rivals = settings.causal.map { isCausal in
      NaiveRival(
        inputs: naiveInputs, isCausal: isCausal, isTimed: budget.allows(naiveInputs, isCausal: isCausal),
        sampleSeconds: settings.sampleSeconds)
    }
    status("warming up")
    var contenders = try makeContenders(inputs.shape)
    for index in contenders.indices {
      let rival = rivals.first { $0.isCausal == contenders[index].isCausal }!
      try prepare(&contenders[index], rival, inputs, &output)
    }

    for round in 1...settings.repetitions {
      status("round \(round) of \(settings.repetitions)")
      for index in contenders.indices { try sample(&contenders[index], inputs, &output) }
      for index in rivals.indices where rivals[index].isTimed {
        let time = Stopwatch.seconds(perCallOver: rivals[index].callsPerSample) {
          _ = naiveInputs.attention(isCausal: rivals[index].isCausal)
        }
        rivals[index].times.append(time)
      }
    }
    for rival in rivals where rival.isTimed {
      budget.record(Summary(rival.times).median, naiveInputs, isCausal: rival.isCausal)
    }
    return contenders.map { contender in
      let rival = rivals.first { $0.isCausal == contender.isCausal }!
      return ScalingResult(
        contender, inputs: inputs, rival: rival,
        alone: contenders.first {
          $0.threads == 1 && $0.isCausal == contender.isCausal && $0.instructionSet == contender.instructionSet
        })
    }
  }

  private func makeContenders(_ shape: AttentionShape) throws -> [Contender] {
    var contenders: [Contender] = []
    for isCausal in settings.causal {
      for instructionSet in settings.instructionSets {
        for threads in settings.threads {
          contenders.append(
            try Contender(
              shape: shape, isCausal: isCausal, instructionSet: instructionSet, threads: threads, settings: settings))
        }
      }
    }
    return contenders
  }

  /// Compares one output with the naive one, and finds how many calls make a sample.
  private func prepare(
    _ contender: inout Contender, _ rival: NaiveRival<Scalar.Naive>, _ inputs: Inputs<Scalar>,
    _ output: inout [Scalar]
  ) throws {
    let (isCausal, options) = (contender.isCausal, contender.options)
    try inputs.fused(into: &output, isCausal: isCausal, options: options)
    contender.maximumDifference = rival.maximumDifference(from: output)
    contender.callsPerSample = try Stopwatch.calls(forAtLeast: settings.sampleSeconds) {
      try inputs.fused(into: &output, isCausal: isCausal, options: options)
    }
  }

  private func sample(_ contender: inout Contender, _ inputs: Inputs<Scalar>, _ output: inout [Scalar]) throws {
    let (isCausal, options) = (contender.isCausal, contender.options)
    let time = try Stopwatch.seconds(perCallOver: contender.callsPerSample) {
      try inputs.fused(into: &output, isCausal: isCausal, options: options)
    }
    contender.times.append(time)
    if contender.threads > 1 { IdleWorkers.settle() }
    if let peak = contender.peak {
      contender.peaks.append(peak.rate(threads: contender.threads, seconds: settings.sampleSeconds))
    }
  }
}

extension ScalingResult {
  fileprivate init<Scalar: BenchmarkScalar>(
    _ contender: Contender, inputs: Inputs<Scalar>, rival: NaiveRival<Scalar.Naive>, alone: Contender?
  ) {
    length = inputs.length
    dimension = inputs.dimension
    isCausal = contender.isCausal
    instructionSet = contender.instructionSet
    kernel = contender.kernel
    threads = contender.threads
    flops = contender.flops
    callsPerSample = contender.callsPerSample
    seconds = Summary(contender.times)
    let rates = contender.times.map { contender.flops / $0 }
    gigaflops = Summary(rates).scaled(by: 1e-9)
    // A rate of 0 says that the threads could not be started.
    let hasPeak = !contender.peaks.isEmpty && !contender.peaks.contains(0)
    peakOperation = hasPeak ? contender.peak?.operation : nil
    peakGigaflops = hasPeak ? Summary(contender.peaks).scaled(by: 1e-9) : nil
    shareOfPeak = hasPeak ? .ratios(rates, to: contender.peaks) : nil
    speedUpOverOneThread = alone.map { .ratios($0.times, to: contender.times) }
    naiveSeconds = rival.isTimed ? Summary(rival.times) : nil
    speedUpOverNaive = rival.isTimed ? .ratios(rival.times, to: contender.times) : nil
    maximumDifference = contender.maximumDifference
    comparedElements = rival.expected.count
  }
}
