import Attention
import Foundation
import Safetensors
import Testing

/// LSTM and GRU, forward and backward, against values that PyTorch computed (Fixtures/make_recurrent_fixtures.py).
///
/// A result passes within 2·e + γ_n·M: e is how far PyTorch's own computation in float32 is from the recorded one in
/// float64, n counts the terms of all sums on the way to a gradient, M is the largest magnitude of any tensor of the
/// case.
@Suite struct RecurrentPyTorchTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var layers = 1
    var bidirectional = false
    var bias = true
    var isInitialStateGiven = true
    var testDescription: String { name }
  }

  static let cases = ["lstm", "gru"].flatMap { name in
    [
      Case(name: name, isInitialStateGiven: false), Case(name: "\(name)_plain", bias: false),
      Case(name: "\(name)_packed"), Case(name: "\(name)_two_layers", layers: 2),
      Case(name: "\(name)_bidirectional", bidirectional: true, isInitialStateGiven: false),
      Case(name: "\(name)_bidirectional_two_layers", layers: 2, bidirectional: true),
    ]
  }

  private static func fixtures() throws -> SafetensorsFile {
    let path = Bundle.module.path(forResource: "recurrent-layers", ofType: "safetensors", inDirectory: "Fixtures")
    return try SafetensorsFile(contentsOf: try #require(path))
  }

  @Test func allCasesAreTested() throws {
    #expect(Set(try Self.fixtures().names.map { String($0.prefix { $0 != "." }) }) == Set(Self.cases.map(\.name)))
  }

  @Test(arguments: cases) func agrees(_ recorded: Case) throws {
    let file = try Self.fixtures()
    func tensor(_ name: String) throws -> Tensor {
      let tensor = try file.tensor(named: "\(recorded.name).\(name)")
      return Tensor(tensor.scalars(as: Float.self), shape: tensor.shape)
    }
    func state(_ name: String, isLSTM: Bool) throws -> RecurrentState {
      RecurrentState(try tensor("\(name).hidden"), isLSTM ? try tensor("\(name).cell") : nil)
    }
    let isLSTM = recorded.name.hasPrefix("lstm")
    let layer = try AnyRecurrent(
      isLSTM: isLSTM, 3, 5, layers: recorded.layers, bidirectional: recorded.bidirectional, bias: recorded.bias, seed: 1
    ).loaded(from: file, prefix: "\(recorded.name).parameters")
    let x = try tensor("inputs.x")
    let lengths = try file.tensor(named: "\(recorded.name).lengths").integers()
    let initial = recorded.isInitialStateGiven ? try state("inputs", isLSTM: isLSTM) : nil
    let (value, pullback) = layer.valueWithPullback(x, lengths: lengths, initial: initial)
    let gradients = pullback(try tensor("gradients.output"), try state("gradients", isLSTM: isLSTM))
    let plain = layer(x, lengths: lengths, initial: initial)
    #expect(plain.output == value.output && plain.state == value.state)
    if lengths.allSatisfy({ $0 == x.shape[1] }) { #expect(layer(x, initial: initial).output == value.output) }

    var given = ["output": value.output, "inputs.x": gradients.input]
    for (name, tensor) in value.state.named { given[name] = tensor }
    for (name, tensor) in gradients.initial.named { given["inputs.\(name)"] = tensor }
    for parameter in gradients.parameters.parameters { given["parameters.\(parameter.name)"] = parameter.tensor }
    let start = "\(recorded.name).results."
    let results = file.names.filter { $0.hasPrefix(start) }
    #expect(Set(results.map { String($0.dropFirst(start.count)) }) == Set(given.keys))

    let tensors = file.names.filter { $0.hasPrefix("\(recorded.name).") && !$0.contains("lengths") }
    let largest = try tensors.map { try file.tensor(named: $0).scalars(as: Double.self) }.joined().map(\.magnitude)
      .max()!
    let floor = γ(layer.terms(batch: 4, steps: 6)) * largest
    for full in results {
      let name = String(full.dropFirst(start.count))
      let actual = try #require(given[name])
      let expected = try file.tensor(named: full)
      #expect(actual.shape == expected.shape, "\(name)")
      let naive = try file.tensor(named: "\(recorded.name).float32_error.\(name)").scalars(as: Double.self)[0]
      let numbers = expected.scalars(as: Double.self)
      let bound = 2 * naive + floor
      let difference = zip(actual.scalars, numbers).map { (Double($0) - $1).magnitude }.max()!
      #expect(difference <= bound, "\(name)")
      // The bound would let nothing pass that is not the result.
      #expect(numbers.map(\.magnitude).max()! > 100 * bound, "\(name) proves nothing")
    }
  }
}
