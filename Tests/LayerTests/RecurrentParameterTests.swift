import Attention
import Foundation
import Safetensors
import Testing

/// Names, saving and loading, initial values, and the messages on misuse.
@Suite struct RecurrentParameterTests {
  @Test func names() {
    let one = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    let reverse = one.map { "\($0)_reverse" }
    let second = (one + reverse).map { $0.replacingOccurrences(of: "l0", with: "l1") }
    let deep = LSTM(inputDimensions: 3, hiddenDimensions: 4, numLayers: 2, bidirectional: true, seed: 1)
    #expect(deep.parameters.map(\.name) == one + reverse + second)
    #expect(deep.parameters(naming: .mlx) == deep.parameters)
    #expect(
      deep.parameters.map(\.tensor.shape) == [[16, 3], [16, 4], [16], [16], [16, 3], [16, 4], [16], [16]]
        + [[16, 8], [16, 4], [16], [16], [16, 8], [16, 4], [16], [16]])
    #expect(
      GRU(inputDimensions: 3, hiddenDimensions: 4, bias: false, seed: 1).parameters.map(\.tensor.shape)
        == [[12, 3], [12, 4]])
  }

  @Test func roundTrip() throws {
    func expectRoundTrip<Layer: ParameterContainer & Equatable>(_ layer: Layer, _ other: Layer) throws {
      let path = FileManager.default.temporaryDirectory.appending(path: "recurrent-\(UUID().uuidString).safetensors")
        .path
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(layer != other)
      try layer.save(to: path, prefix: "encoder.rnn")
      #expect(try other.loading(from: SafetensorsFile(contentsOf: path), prefix: "encoder.rnn") == layer)
      var loaded = other
      try loaded.load(from: layer.parameters)
      #expect(loaded == layer)
    }
    func lstm(_ seed: UInt64) -> LSTM {
      LSTM(inputDimensions: 3, hiddenDimensions: 4, numLayers: 2, bidirectional: true, seed: seed)
    }
    func gru(_ seed: UInt64) -> GRU { GRU(inputDimensions: 3, hiddenDimensions: 4, bias: false, seed: seed) }
    try expectRoundTrip(lstm(1), lstm(2))
    try expectRoundTrip(gru(1), gru(2))
    var layer = gru(1)
    #expect(throws: ParameterError.unexpected(name: "bias_hh_l0")) {
      try layer.load(from: gru(2).parameters + [NamedTensor("bias_hh_l0", Tensor(repeating: 0, shape: [12]))])
    }
    #expect(throws: ParameterError.missing(name: "weight_hh_l0", alternatives: [])) {
      try layer.load(from: [gru(2).parameters[0]])
    }
    #expect(throws: ParameterError.wrongShape(name: "weight_ih_l0", expected: [12, 3], actual: [16, 3])) {
      try layer.load(from: lstm(2).parameters)
    }
    #expect(layer == gru(1))
  }

  /// Uniform in ±1/√H: within the bound, and mean and variance within six standard deviations.
  @Test func initialValues() {
    let layer = LSTM(inputDimensions: 40, hiddenDimensions: 50, bidirectional: true, seed: 3)
    #expect(layer == LSTM(inputDimensions: 40, hiddenDimensions: 50, bidirectional: true, seed: 3))
    let bound = 1 / Double(50).squareRoot()
    for parameter in layer.parameters {
      let numbers = parameter.tensor.scalars.map { Double($0) / bound }
      let n = Double(numbers.count)
      #expect(numbers.allSatisfy { $0.magnitude <= 1 + 0x1p-23 }, "\(parameter.name)")
      #expect((numbers.reduce(0, +) / n).magnitude < 6 * (1 / (3 * n)).squareRoot(), "\(parameter.name)")
      // x² of a uniform x has the mean 1/3 and the variance 4/45.
      let squares = numbers.reduce(0) { $0 + $1 * $1 } / n
      #expect((squares - 1.0 / 3).magnitude < 6 * (4 / (45 * n)).squareRoot(), "\(parameter.name)")
    }
  }

  @Test func inputShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LSTM(inputDimensions: 4, hiddenDimensions: 3, seed: 0)(Tensor(repeating: 0, shape: [2, 5, 3]))
    }
    try expect(exit, says: "LSTM: expected [B, T, 4], got [2, 5, 3]")
  }

  @Test func lengths() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GRU(inputDimensions: 4, hiddenDimensions: 3, seed: 0)(
        Tensor(repeating: 0, shape: [2, 5, 4]), lengths: [1, 6])
    }
    try expect(exit, says: "GRU: expected 2 lengths in 0...5, got [1, 6]")
  }

  @Test func stateShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let state = Tensor(repeating: 0, shape: [1, 2, 3])
      _ = LSTM(inputDimensions: 4, hiddenDimensions: 3, bidirectional: true, seed: 0)(
        Tensor(repeating: 0, shape: [2, 5, 4]), initialState: LSTMState(hidden: state, cell: state))
    }
    try expect(exit, says: "LSTM: expected an initial state [2, 2, 3], got [1, 2, 3]")
  }

  @Test func statesOfDifferentShapes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LSTMState(hidden: Tensor(repeating: 0, shape: [1, 2, 3]), cell: Tensor(repeating: 0, shape: [1, 2, 4]))
    }
    try expect(exit, says: "LSTMState: expected hidden and cell [L·directions, B, H], got [1, 2, 3] and [1, 2, 4]")
  }

  @Test func outputGradientShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(repeating: 0, shape: [2, 5, 4])
      _ = GRU(inputDimensions: 4, hiddenDimensions: 3, seed: 0).valueWithPullback(x).pullback(x, nil)
    }
    try expect(exit, says: "GRU: expected an output gradient [2, 5, 3], got [2, 5, 4]")
  }

  @Test func stateGradientShape() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (value, pullback) = GRU(inputDimensions: 4, hiddenDimensions: 3, seed: 0).valueWithPullback(
        Tensor(repeating: 0, shape: [2, 5, 4]))
      _ = pullback(value.output, value.output)
    }
    try expect(exit, says: "GRU: expected a state gradient [1, 2, 3], got [2, 5, 3]")
  }

  @Test func sizes() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GRU(inputDimensions: 4, hiddenDimensions: 0, seed: 0)
    }
    try expect(
      exit, says: "GRU: expected positive sizes, got inputDimensions 4, hiddenDimensions 0, numLayers 1")
  }

  @Test func dropoutProbability() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LSTM(inputDimensions: 4, hiddenDimensions: 2, dropout: 1, seed: 0)
    }
    try expect(exit, says: "LSTM: expected a dropout probability in 0..<1, got 1.0")
  }

  @Test func weights() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var layer = LSTM(inputDimensions: 4, hiddenDimensions: 2, seed: 0)
      layer.layers[0].forward.hiddenWeight = Tensor(repeating: 0, shape: [6, 2])
      _ = layer(Tensor(repeating: 0, shape: [2, 5, 4]))
    }
    try expect(exit, says: "LSTM: expected weights [8, 4] and [8, 2] in layer 0, got [8, 4] and [6, 2]")
  }

  private func expect(
    _ exit: ExitTest.Result?, says expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let message = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(message.contains(expected), "\(message)", sourceLocation: sourceLocation)
  }
}
