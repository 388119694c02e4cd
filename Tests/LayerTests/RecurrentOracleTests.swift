import Attention
import Testing

/// LSTM and GRU of random shapes against the loops in `Double`: values, and gradients by central differences.
///
/// Values are within γ_n·M: n roundings lie one behind the other, M is the largest magnitude of what goes in and comes
/// out. A gradient along a direction of length 1 is within γ_n·M·√size of that of the loops; the differences of steps h
/// and h/2, extrapolated, are closer to it than to each other.
@Suite struct RecurrentOracleTests {
  @Test(arguments: [true, false], 1...6) func randomShapes(isLSTM: Bool, seed: Int) {
    var random = RandomSizes(state: UInt64(seed) &* 977 &+ (isLSTM ? 1 : 0))
    let (batch, steps) = (random.next(in: 1...5), random.next(in: 1...6))
    let (inputs, hidden, layers) = (random.next(in: 1...7), random.next(in: 1...9), random.next(in: 1...3))
    let bidirectional = seed % 2 == 0
    let lengths = (0..<batch).map { _ in random.next(in: 0...steps) }
    let layer = AnyRecurrent(
      isLSTM: isLSTM, inputs, hidden, layers: layers, bidirectional: bidirectional, bias: seed != 3,
      seed: UInt64(seed))
    let name = "seed \(seed): \(batch) of \(lengths), \(inputs) → \(hidden), \(layers) layers"
    let states = [layers * (bidirectional ? 2 : 1), batch, hidden]
    let shape = [batch, steps, hidden * (bidirectional ? 2 : 1)]
    func tensor(_ shape: [Int], _ place: UInt64) -> Tensor { .random(shape, seed: UInt64(seed) &* 31 &+ place) }
    func state(_ place: UInt64) -> RecurrentState {
      RecurrentState(tensor(states, place), isLSTM ? tensor(states, place + 1) : nil)
    }
    let (x, initial) = (tensor([batch, steps, inputs], 1), state(2))
    let (dOutput, dState) = (tensor(shape, 4), state(5))
    let (value, pullback) = layer.valueWithPullback(x, lengths: lengths, initial: initial)
    let gradients = pullback(dOutput, dState)
    #expect(value.output.shape == shape && value.state.hidden.shape == states && gradients.input.shape == x.shape)

    let naive = NaiveRecurrence(layer)
    let zeros = Tensor(repeating: 0, shape: states)
    let expected = naive.run(
      x.nested(), lengths: lengths, hidden: initial.hidden.nested(), cell: (initial.cell ?? zeros).nested())
    let floor = γ(layer.terms(batch: batch, steps: steps))
    func expectClose(_ actual: Tensor, _ expected: [[[Double]]], _ what: String) {
      let difference = zip(actual.scalars, expected.joined().joined()).map { (Double($0) - $1).magnitude }.max() ?? 0
      #expect(difference <= floor * 2, "\(what), \(name)")
    }
    expectClose(value.output, expected.output, "output")
    expectClose(value.state.hidden, expected.hidden, "hidden")
    if let cell = value.state.cell { expectClose(cell, expected.cell, "cell") }

    /// The loss with one tensor moved.
    func loss(_ x: [[[Double]]], _ hidden: [[[Double]]], _ cell: [[[Double]]], _ naive: NaiveRecurrence) -> Double {
      let result = naive.run(x, lengths: lengths, hidden: hidden, cell: cell)
      func dot(_ a: [[[Double]]], _ b: Tensor) -> Double {
        zip(a.joined().joined(), b.scalars).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      return dot(result.output, dOutput) + dot(result.hidden, dState.hidden)
        + (dState.cell.map { dot(result.cell, $0) } ?? 0)
    }
    let (h0, c0) = (initial.hidden.nested(), (initial.cell ?? zeros).nested())
    let largest = ([gradients.input] + gradients.parameters.parameters.map(\.tensor)).flatMap(\.scalars).reduce(2) {
      max($0, Double($1.magnitude))
    }
    func check(_ gradient: Tensor, _ what: String, _ at: (Tensor, Double) -> Double) {
      let size = Double(gradient.count).squareRoot()
      let direction = Tensor(gradient.scalars.map { ($0 > 0 ? 1 : -1) / Float(size) }, shape: gradient.shape)
      let along = zip(gradient.scalars, direction.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let h = 0x1p-10
      let wide = (at(direction, h) - at(direction, -h)) / (2 * h)
      let narrow = (at(direction, h / 2) - at(direction, -h / 2)) / h
      let bound = (narrow - wide).magnitude + floor * largest * size
      #expect((along - (4 * narrow - wide) / 3).magnitude <= bound, "\(what), \(name)")
      if lengths.contains(where: { $0 > 0 }) {
        #expect(along.magnitude > 5 * bound, "\(what) proves nothing, \(name)")
      }
    }
    check(gradients.input, "input") { loss(x.nested(moved: $0, by: $1), h0, c0, naive) }
    check(gradients.initial.hidden, "initial hidden") {
      loss(x.nested(), initial.hidden.nested(moved: $0, by: $1), c0, naive)
    }
    if let gradient = gradients.initial.cell {
      check(gradient, "initial cell") { loss(x.nested(), h0, initial.cell!.nested(moved: $0, by: $1), naive) }
    }
    #expect(gradients.parameters.parameters.map(\.name) == layer.parameters.map(\.name))
    for parameter in gradients.parameters.parameters {
      check(parameter.tensor, parameter.name) { direction, step in
        var moved = naive
        moved.parameters[parameter.name] = zip(naive.parameters[parameter.name]!, direction.scalars).map {
          $0 + step * Double($1)
        }
        return loss(x.nested(), h0, c0, moved)
      }
    }
  }

  /// The gradients with dropout between layers, whose mask only the layer itself knows: against differences of its own
  /// values, which in `Float` are off by γ_n·Σ|y·dy| over the step.
  @Test(arguments: [true, false]) func dropoutGradients(isLSTM: Bool) {
    let layer = AnyRecurrent(isLSTM: isLSTM, 4, 6, layers: 3, bidirectional: true, dropout: 0.4, seed: 8)
    let (x, dy) = (Tensor.random([3, 5, 4], seed: 1), Tensor.random([3, 5, 12], seed: 2))
    let lengths = [2, 5, 4]
    let (value, pullback) = layer.valueWithPullback(x, lengths: lengths, dropoutSeed: 3)
    #expect(layer(x, lengths: lengths, dropoutSeed: 3).output == value.output)
    func loss(_ layer: AnyRecurrent, _ x: Tensor) -> Double {
      let y = layer(x, lengths: lengths, dropoutSeed: 3).output
      return zip(y.scalars, dy.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let gradients = pullback(dy, nil)
    let size = zip(value.output.scalars, dy.scalars).reduce(0) { $0 + Double(($1.0 * $1.1).magnitude) }
    // Steps, layers, and what a cell adds up: its input, its state, and the gates' own roundings.
    let rounding = γ(5 * 3 * (12 + 6 + 8)) * size
    func check(_ gradient: Tensor, _ what: String, _ at: (Tensor, Float) -> Double) {
      let length = Float(gradient.count).squareRoot()
      let direction = Tensor(gradient.scalars.map { ($0 > 0 ? 1 : -1) / length }, shape: gradient.shape)
      let along = zip(gradient.scalars, direction.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let h: Float = 0x1p-2
      let wide = (at(direction, h) - at(direction, -h)) / Double(2 * h)
      let narrow = (at(direction, h / 2) - at(direction, -h / 2)) / Double(h)
      let bound = (narrow - wide).magnitude + 2 * rounding / Double(h)
      #expect((along - (4 * narrow - wide) / 3).magnitude <= bound, "\(what)")
      #expect(along.magnitude > 5 * bound, "\(what) proves nothing")
    }
    func moved(_ tensor: Tensor, _ direction: Tensor, _ step: Float) -> Tensor {
      Tensor(zip(tensor.scalars, direction.scalars).map { $0 + step * $1 }, shape: tensor.shape)
    }
    check(gradients.input, "input") { loss(layer, moved(x, $0, $1)) }
    for (index, parameter) in gradients.parameters.parameters.enumerated() {
      check(parameter.tensor, parameter.name) { direction, step in
        var parameters = layer.parameters
        parameters[index].tensor = moved(parameters[index].tensor, direction, step)
        return loss(layer.with(parameters), x)
      }
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
private struct RandomSizes {
  var state: UInt64

  mutating func next(in range: ClosedRange<Int>) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return range.lowerBound + Int((z ^ (z >> 31)) % UInt64(range.count))
  }
}
