import Attention
import Foundation
import Safetensors
import Testing

/// One case of what Fixtures/make_transformer_fixtures.py recorded: tensors named CASE.NAME.
///
/// A result passes within 2·e + γ_n·M. e is how far PyTorch's own computation in float32 is from the recorded one in
/// float64, the largest of the tensor: two computations in `Float` may take their sums in another order, but not be of
/// another quality. γ_n = n·u/(1 − n·u) with u = 2⁻²⁴ covers a lucky e: n counts the terms of all sums on the longest
/// way to a gradient, k forward and m backward of every weight [m, k] and the positions of every input; M is the
/// largest magnitude of any tensor of the case.
struct TransformerCase {
  let name: String
  let file: SafetensorsFile

  static func fixtures() throws -> SafetensorsFile {
    let path = Bundle.module.path(
      forResource: "transformer-layers", ofType: "safetensors", inDirectory: "Fixtures")
    return try SafetensorsFile(contentsOf: try #require(path))
  }

  init(_ name: String) throws {
    self.name = name
    file = try Self.fixtures()
  }

  /// The layer with the recorded parameters; their names are those of the layer, and none else.
  func loaded<Layer: ParameterContainer>(_ layer: Layer) throws -> Layer {
    try layer.loading(from: file, prefix: "\(name).parameters")
  }

  func tensor(_ name: String) throws -> Tensor {
    let tensor = try file.tensor(named: "\(self.name).\(name)")
    return Tensor(tensor.scalars(as: Float.self), shape: tensor.shape)
  }

  func input(_ name: String) throws -> Tensor { try tensor("inputs.\(name)") }
  var outputGradient: Tensor { get throws { try tensor("output_gradient") } }

  /// Every recorded result of the case, and nothing else, must be given, and agree.
  ///
  /// - Parameter zero: Results that are 0 but for rounding, as the gradient of a key bias is: softmax does not see it.
  func expect(
    output: Tensor, parameters: [NamedTensor] = [], inputs: [String: Tensor], weights: [String: Tensor] = [:],
    zero: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var given = ["output": output].merging(weights) { $1 }
    for parameter in parameters { given["parameters.\(parameter.name)"] = parameter.tensor }
    for (name, gradient) in inputs { given["inputs.\(name)"] = gradient }
    let start = "\(name).results."
    let recorded = file.names.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    #expect(Set(recorded) == Set(given.keys), "\(name)", sourceLocation: sourceLocation)
    let floor = try roundingFloor()
    for result in recorded {
      guard let actual = given[result] else { continue }
      let expected = try file.tensor(named: start + result)
      #expect(actual.shape == expected.shape, "\(name) \(result)", sourceLocation: sourceLocation)
      let numbers = expected.scalars(as: Double.self)
      let naive = try file.tensor(named: "\(name).float32_error.\(result)").scalars(as: Double.self)[0]
      let bound = 2 * naive + floor
      let difference = zip(actual.scalars, numbers).map { (Double($0) - $1).magnitude }.max() ?? 0
      #expect(difference <= bound, "\(name) \(result)", sourceLocation: sourceLocation)
      // The bound would let nothing pass that is not the result.
      let size = numbers.map(\.magnitude).max() ?? 0
      #expect(zero.contains(result) || size > 100 * bound, "\(name) \(result)", sourceLocation: sourceLocation)
    }
  }

  private func roundingFloor() throws -> Double {
    var (terms, largest) = (0, 0.0)
    for full in file.names where full.hasPrefix("\(name).") && !full.contains(".float32_error.") {
      let tensor = try file.tensor(named: full)
      if full.contains(".parameters.") && !full.contains(".results.") { terms += tensor.shape.reduce(0, +) }
      if full.contains(".inputs.") && !full.contains(".results.") {
        terms += tensor.shape.dropLast().reduce(1, *) + tensor.shape[tensor.shape.count - 1]
      }
      largest = max(largest, tensor.scalars(as: Double.self).map(\.magnitude).max() ?? 0)
    }
    return γ(terms) * largest
  }
}

/// n roundings in a row (Higham, Accuracy and Stability of Numerical Algorithms, 2002, lemma 3.1), in `Float`.
func γ(_ n: Int) -> Double { Double(n) * 0x1p-24 / (1 - Double(n) * 0x1p-24) }

extension Tensor {
  /// Uniform numbers in −1...1, the same for a seed everywhere.
  static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var state = seed
    return Tensor(
      (0..<shape.reduce(1, *)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) * 0x1p-23 - 1
      }, shape: shape)
  }

  /// The rows `range` along the axis after the batch, of a tensor [1, S, E].
  func rows(_ range: Range<Int>) -> Tensor {
    let width = shape[shape.count - 1]
    return Tensor(
      Array(scalars[range.lowerBound * width..<range.upperBound * width]), shape: [1, range.count, width])
  }

  func largestDifference(from other: Tensor) -> Double {
    precondition(shape == other.shape)
    return zip(scalars, other.scalars).map { Double(($0 - $1).magnitude) }.max() ?? 0
  }
}
