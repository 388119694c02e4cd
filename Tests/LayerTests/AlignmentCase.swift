import Attention
import Foundation
import Safetensors
import Testing

/// One case of what Fixtures/make_alignment_fixtures.py recorded: tensors named CASE/NAME.
struct AlignmentCase {
  let name: String
  private let file: SafetensorsFile

  init(_ name: String) throws {
    let path = Bundle.module.path(forResource: "alignment-layers", ofType: "safetensors", inDirectory: "Fixtures")
    file = try SafetensorsFile(contentsOf: try #require(path))
    self.name = name
  }

  /// What goes into a layer: numbers that `Float` holds exactly.
  func input(_ tensor: String) throws -> Tensor {
    let stored = try file.tensor(named: "\(name)/\(tensor)")
    let numbers = stored.scalars(as: Double.self)
    try #require(numbers.allSatisfy { Double(Float($0)) == $0 })
    return Tensor(numbers.map { Float($0) }, shape: stored.shape)
  }

  func values() throws -> Tensor? { file.contains("\(name)/values") ? try input("values") : nil }

  func integers(_ tensor: String) throws -> [Int] { try file.tensor(named: "\(name)/\(tensor)").integers() }

  func mask() throws -> AttentionMask {
    file.contains("\(name)/lengths") ? .keyLengths(try integers("lengths")) : .none
  }

  /// Expects a result to be the recorded one but for rounding.
  ///
  /// With u = 2⁻²⁴, n the roundings in a row on the way to one number and M the sum of magnitudes behind a score: a score
  /// is off by at most n·u·M, a weight by that factor in both numerator and denominator, and the sums that follow by n·u
  /// more. n counts the terms of each sum on the way (inputs 6, hidden 8, keys 7, values 9, queries 3·4) and 32 for the
  /// exponentials, tanh and quotients. A gradient takes the way twice. Errors are relative to the tensor's largest
  /// number: sums that cancel have errors of the size of their terms. Recorded zeros must be zeros.
  func expect(
    _ actual: Tensor?, is tensor: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let stored = try file.tensor(named: "\(name)/\(tensor)")
    let actual = try #require(actual, "\(name): no \(tensor)", sourceLocation: sourceLocation)
    try #require(actual.shape == stored.shape, "\(name)/\(tensor)", sourceLocation: sourceLocation)
    let expected = stored.scalars(as: Double.self)
    let n = Double(6 + 8 + 7 + 9 + 12 + 32)
    let M = try file.tensor(named: "\(name)/score_magnitude").scalars(as: Double.self)[0]
    let largest = expected.map(\.magnitude).max() ?? 0
    let passes: Double = tensor.hasSuffix("_gradient") ? 2 : 1
    let tolerance = passes * 2 * n * 0x1p-24 * (1 + M) * largest
    try #require(
      largest == 0 || tolerance < 0.01 * largest, "\(name)/\(tensor): the bound says nothing",
      sourceLocation: sourceLocation)
    let apart = zip(actual.scalars, expected).map { (Double($0) - $1).magnitude }
    let worst = apart.max() ?? 0
    #expect(
      !expected.isEmpty && worst <= tolerance && apart.allSatisfy(\.isFinite),
      "\(name)/\(tensor): \(worst) apart, allowed \(tolerance)", sourceLocation: sourceLocation)
  }

  /// Expects context, weights and the inputs' gradients of a layer to be the recorded ones; returns the parameters'.
  func check<Layer: AlignmentLayer>(
    _ layer: Layer, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Layer.Gradients {
    let (queries, keys, values, mask) = (try input("queries"), try input("keys"), try values(), try mask())
    try expect(
      layer(queries, keys: keys, values: values, mask: mask), is: "context", sourceLocation: sourceLocation)
    try expect(layer.weights(queries, keys: keys, mask: mask), is: "weights", sourceLocation: sourceLocation)
    let (context, pullback) = layer.valueWithPullback(queries, keys: keys, values: values, mask: mask)
    #expect(
      context == layer(queries, keys: keys, values: values, mask: mask), "\(name)", sourceLocation: sourceLocation)
    let attended = layer.attend(queries, keys: keys, values: values, mask: mask)
    #expect(attended.context == context && attended.weights == layer.weights(queries, keys: keys, mask: mask))
    let gradients = pullback(try input("context_gradient"))
    try expect(gradients.queries, is: "queries_gradient", sourceLocation: sourceLocation)
    try expect(gradients.keys, is: "keys_gradient", sourceLocation: sourceLocation)
    #expect((gradients.values == nil) == (values == nil), "\(name)", sourceLocation: sourceLocation)
    if values != nil { try expect(gradients.values, is: "values_gradient", sourceLocation: sourceLocation) }
    return gradients.parameters
  }
}
