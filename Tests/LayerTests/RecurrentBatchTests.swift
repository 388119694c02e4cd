import Attention
import Foundation
import Testing

/// What a sequence's result may depend on: not on the rest of the batch, the padding or the number of threads.
@Suite struct RecurrentBatchTests {
  static let lengths = [3, 9, 0, 7, 9, 1, 4, 8, 2, 5]

  private func layer(_ isLSTM: Bool, hidden: Int = 21, dropout: Double = 0) -> AnyRecurrent {
    AnyRecurrent(isLSTM: isLSTM, 6, hidden, layers: 2, bidirectional: true, dropout: dropout, seed: 4)
  }

  private func state(_ isLSTM: Bool, batch: Int, hidden: Int = 21, seed: UInt64) -> RecurrentState {
    let shape = [4, batch, hidden]
    return RecurrentState(.random(shape, seed: seed), isLSTM ? .random(shape, seed: seed + 1) : nil)
  }

  /// Sequence `index` of [B, T, width], its first `length` steps.
  private func sequence(_ x: Tensor, _ index: Int, length: Int) -> Tensor {
    let (steps, width) = (x.shape[1], x.shape[2])
    let first = index * steps * width
    return Tensor(Array(x.scalars[first..<first + length * width]), shape: [1, length, width])
  }

  /// State `index` of every layer and direction.
  private func state(_ states: RecurrentState, _ index: Int) -> RecurrentState {
    func one(_ x: Tensor) -> Tensor {
      let (batch, width) = (x.shape[1], x.shape[2])
      var rows: [Float] = []
      for layer in 0..<x.shape[0] {
        let first = (layer * batch + index) * width
        rows += x.scalars[first..<first + width]
      }
      return Tensor(rows, shape: [x.shape[0], 1, width])
    }
    return RecurrentState(one(states.hidden), states.cell.map(one))
  }

  @Test(arguments: [true, false]) func aloneAsInABatch(isLSTM: Bool) {
    let (layer, batch) = (layer(isLSTM), Self.lengths.count)
    let (x, initial) = (Tensor.random([batch, 9, 6], seed: 1), state(isLSTM, batch: batch, seed: 2))
    let (dy, dState) = (Tensor.random([batch, 9, 42], seed: 5), state(isLSTM, batch: batch, seed: 7))
    let (value, pullback) = layer.valueWithPullback(x, lengths: Self.lengths, initial: initial)
    let gradients = pullback(dy, dState)
    for (index, length) in Self.lengths.enumerated() {
      let (lone, lonePullback) = layer.valueWithPullback(
        sequence(x, index, length: length), initial: state(initial, index))
      let loneGradients = lonePullback(sequence(dy, index, length: length), state(dState, index))
      #expect(lone.output == sequence(value.output, index, length: length), "sequence \(index)")
      #expect(lone.state == state(value.state, index), "sequence \(index)")
      #expect(loneGradients.input == sequence(gradients.input, index, length: length), "sequence \(index)")
      #expect(loneGradients.initial == state(gradients.initial, index), "sequence \(index)")
      // Behind the end there is nothing.
      let start = index * 9 + length
      #expect(value.output.scalars[start * 42..<(index + 1) * 9 * 42].allSatisfy { $0 == 0 }, "sequence \(index)")
      #expect(gradients.input.scalars[start * 6..<(index + 1) * 9 * 6].allSatisfy { $0 == 0 }, "sequence \(index)")
    }
    #expect(value.output.scalars.contains { $0 != 0 })
  }

  /// A sequence of no steps: the final state is the initial one, and so are their gradients.
  @Test(arguments: [true, false]) func lengthZero(isLSTM: Bool) {
    let layer = layer(isLSTM)
    let (initial, dState) = (state(isLSTM, batch: 2, seed: 2), state(isLSTM, batch: 2, seed: 9))
    for (x, lengths) in [(Tensor.random([2, 3, 6], seed: 1), [0, 0]), (Tensor([], shape: [2, 0, 6]), nil)] {
      let (value, pullback) = layer.valueWithPullback(x, lengths: lengths, initial: initial)
      #expect(value.output == Tensor(repeating: 0, shape: [2, x.shape[1], 42]))
      #expect(value.state == initial)
      let gradients = pullback(value.output, dState)
      #expect(gradients.initial == dState)
      #expect(gradients.input == Tensor(repeating: 0, shape: x.shape))
      #expect(gradients.parameters.parameters.allSatisfy { $0.tensor.scalars.allSatisfy { $0 == 0 } })
    }
    let empty = layer(Tensor([], shape: [0, 3, 6]))
    #expect(empty.output.shape == [0, 3, 42] && empty.state.hidden.shape == [4, 0, 21])
  }

  /// What stands in the padding is not read, forward or backward.
  @Test(arguments: [true, false]) func paddingIsNotRead(isLSTM: Bool) {
    let layer = layer(isLSTM)
    func padded(_ x: Tensor, with number: Float) -> Tensor {
      var x = x
      let width = x.shape[2]
      for (index, length) in Self.lengths.enumerated() {
        for step in length..<9 { for column in 0..<width { x[index, step, column] = number } }
      }
      return x
    }
    let (x, dy) = (Tensor.random([10, 9, 6], seed: 1), Tensor.random([10, 9, 42], seed: 2))
    let (first, pullback) = layer.valueWithPullback(padded(x, with: 0), lengths: Self.lengths)
    let (second, otherPullback) = layer.valueWithPullback(padded(x, with: .nan), lengths: Self.lengths)
    #expect(first.output == second.output && first.state == second.state)
    let (gradients, others) = (pullback(padded(dy, with: 0), nil), otherPullback(padded(dy, with: .nan), nil))
    #expect(gradients.parameters == others.parameters && gradients.input == others.input)
    #expect(gradients.initial == others.initial)
  }

  /// No initial state is one of zeros, no state gradient one of zeros.
  @Test(arguments: [true, false]) func nilStatesAreZeros(isLSTM: Bool) {
    let layer = layer(isLSTM)
    let zeros = Tensor(repeating: 0, shape: [4, 2, 21])
    let zeroState = RecurrentState(zeros, isLSTM ? zeros : nil)
    let (x, dy) = (Tensor.random([2, 5, 6], seed: 1), Tensor.random([2, 5, 42], seed: 2))
    let (first, pullback) = layer.valueWithPullback(x)
    let (second, otherPullback) = layer.valueWithPullback(x, lengths: [5, 5], initial: zeroState)
    #expect(first.output == second.output && first.state == second.state)
    let (gradients, others) = (pullback(dy, nil), otherPullback(dy, zeroState))
    #expect(gradients.parameters == others.parameters && gradients.input == others.input)
    #expect(gradients.initial == others.initial)
  }

  #if os(Linux)
    /// The number of threads is the calling thread's; the layer is large enough to be spread over several.
    @Test(arguments: [true, false]) func threads(isLSTM: Bool) throws {
      typealias SetThreads = @convention(c) (Int32) -> Void
      let symbol = try #require(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "omp_set_num_threads"))
      let setThreads = unsafeBitCast(symbol, to: SetThreads.self)
      let before = AttentionSystem.maximumThreads
      defer { setThreads(Int32(before)) }
      let layer = layer(isLSTM, hidden: 96, dropout: 0.2)
      let lengths = (0..<24).map { ($0 * 7) % 13 }
      let (x, dy) = (Tensor.random([24, 12, 6], seed: 1), Tensor.random([24, 12, 192], seed: 2))
      func run(_ threads: Int) -> (Tensor, RecurrentState, AnyRecurrent.Gradients) {
        setThreads(Int32(threads))
        #expect(AttentionSystem.maximumThreads == threads)
        let (value, pullback) = layer.valueWithPullback(x, lengths: lengths, dropoutSeed: 5)
        return (value.output, value.state, pullback(dy, nil))
      }
      let one = run(1)
      for threads in [2, 3, 7] {
        let more = run(threads)
        #expect(more.0 == one.0 && more.1 == one.1, "\(threads) threads")
        #expect(more.2.parameters == one.2.parameters && more.2.input == one.2.input, "\(threads) threads")
        #expect(more.2.initial == one.2.initial, "\(threads) threads")
      }
    }
  #endif

  @Test(arguments: [true, false]) func dropoutFollowsSeedAndPlace(isLSTM: Bool) {
    let (layer, certain) = (layer(isLSTM, dropout: 0.5), layer(isLSTM))
    let (x, lengths) = (Tensor.random([3, 9, 6], seed: 1), [9, 4, 6])
    let dropped = layer(x, lengths: lengths, dropoutSeed: 1).output
    #expect(dropped == layer(x, lengths: lengths, dropoutSeed: 1).output)
    #expect(dropped != layer(x, lengths: lengths, dropoutSeed: 2).output)
    #expect(layer(x, lengths: lengths).output == certain(x, lengths: lengths).output)
    #expect(dropped != certain(x, lengths: lengths).output)
    #expect(certain(x, lengths: lengths).output == certain(x, lengths: lengths, dropoutSeed: 1).output)
    // The first sequence is the first alone too; and less padding changes nothing.
    #expect(layer(sequence(x, 0, length: 9), dropoutSeed: 1).output == sequence(dropped, 0, length: 9))
    var wider: [Float] = []
    for index in 0..<3 { wider += sequence(x, index, length: 9).scalars + [Float](repeating: 0, count: 12) }
    let wide = Tensor(wider, shape: [3, 11, 6])
    let inWide = layer(wide, lengths: lengths, dropoutSeed: 1).output
    for index in 0..<3 {
      #expect(sequence(inWide, index, length: lengths[index]) == sequence(dropped, index, length: lengths[index]))
    }
  }

  /// The share dropped on the way into the second layer: with its weights picking out single inputs and its recurrence
  /// off, an input of 0 shows as an output of exactly 0.
  @Test func dropoutShare() {
    let (p, steps, size) = (0.3, 60, 40)
    var layer = LSTM(inputDimensions: 3, hiddenDimensions: size, numLayers: 2, bias: false, dropout: p, seed: 1)
    var cell = layer.layers[1].forward
    cell.hiddenWeight = Tensor(repeating: 0, shape: cell.hiddenWeight.shape)
    cell.inputWeight = Tensor(repeating: 0, shape: cell.inputWeight.shape)
    // i and o are 1/2, g = tanh(input), c forgets: f = σ(−∞).
    for unit in 0..<size { cell.inputWeight[2 * size + unit, unit] = 1 }
    cell.inputBias = Tensor(repeating: 0, shape: [4 * size])
    for unit in 0..<size { cell.inputBias![size + unit] = -.infinity }
    layer.layers[1].forward = cell
    let x = Tensor.random([2, steps, 3], seed: 1)
    let y = layer(x, dropoutSeed: 6).output
    let zeros = y.scalars.filter { $0 == 0 }.count
    let n = Double(2 * steps * size)
    // Six standard deviations of a binomial count.
    #expect((Double(zeros) - n * p).magnitude < 6 * (n * p * (1 - p)).squareRoot())
    #expect(!layer(x).output.scalars.contains(0))
  }
}
