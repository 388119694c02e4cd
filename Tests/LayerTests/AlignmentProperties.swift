import Attention
import Testing

/// The same numbers on every machine for a seed (SplitMix64).
struct AlignmentNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in −1...1.
  mutating func tensor(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &self) }, shape: shape)
  }
}

extension Tensor {
  /// [n, m, x] → rows `order` of axis 1.
  func permutedRows(_ order: [Int]) -> Tensor {
    let width = shape[2]
    var rows: [Float] = []
    for batch in 0..<shape[0] {
      for row in order {
        let first = (batch * shape[1] + row) * width
        rows += scalars[first..<first + width]
      }
    }
    return Tensor(rows, shape: [shape[0], order.count, width])
  }

  /// [n, ...] → [1, ...].
  func sequence(_ batch: Int) -> Tensor {
    let size = count / shape[0]
    return Tensor(Array(scalars[batch * size..<(batch + 1) * size]), shape: [1] + shape.dropFirst())
  }

  /// [n, m, x] → [n, length, x].
  func prefix(_ length: Int) -> Tensor { permutedRows(Array(0..<length)) }

  /// [n, a, b] → [n, b, a].
  var transposedRows: Tensor {
    var out = Tensor(repeating: 0, shape: [shape[0], shape[2], shape[1]])
    for n in 0..<shape[0] { for a in 0..<shape[1] { for b in 0..<shape[2] { out[n, b, a] = self[n, a, b] } } }
    return out
  }

  func rowSums() -> [Double] {
    let width = shape[rank - 1]
    return stride(from: 0, to: count, by: width).map { scalars[$0..<$0 + width].reduce(0) { $0 + Double($1) } }
  }
}

/// The largest distance between numbers of two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) throws -> Float {
  try #require(a.shape == b.shape && a.count > 0)
  return zip(a.scalars, b.scalars).map { ($0 - $1).magnitude }.max() ?? .infinity
}

/// What holds of every layer: keys in another order give the weights in that order and the same context; weights are
/// shares of one; a sequence in a padded batch has the bits it has alone, though the padding is NaN.
///
/// Sums of weights and permuted results may differ by rounding: 19 keys and as many additions in another order, each half
/// a unit in the last place of 1 or less, numerator and denominator.
func expectAlignmentProperties<Layer: AlignmentLayer>(
  of layer: Layer, queryDimensions: Int, keyDimensions: Int, isPermutable: Bool = true, sumsToOne: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  var numbers = AlignmentNumbers(seed: 17)
  let (batch, queryLength, keyLength) = (3, 5, 19)
  let queries = numbers.tensor([batch, queryLength, queryDimensions])
  let keys = numbers.tensor([batch, keyLength, keyDimensions])
  let values = numbers.tensor([batch, keyLength, 4])
  let weights = layer.weights(queries, keys: keys, mask: .none)
  let context = layer(queries, keys: keys, values: values, mask: .none)
  let rounding: Float = 4 * 19 * 0x1p-24

  for sum in weights.rowSums() where sumsToOne {
    #expect((sum - 1).magnitude <= Double(rounding), sourceLocation: sourceLocation)
  }
  #expect(weights.scalars.allSatisfy { (0...1).contains($0) }, sourceLocation: sourceLocation)

  if isPermutable {
    let order = (0..<keyLength).map { ($0 * 7 + 3) % keyLength }
    let permuted = layer.weights(queries, keys: keys.permutedRows(order), mask: .none)
    let expected = weights.transposedRows.permutedRows(order).transposedRows
    #expect(try distance(permuted, expected) <= rounding, sourceLocation: sourceLocation)
    #expect(try distance(permuted, weights) > rounding, sourceLocation: sourceLocation)
    let permutedContext = layer(
      queries, keys: keys.permutedRows(order), values: values.permutedRows(order), mask: .none)
    #expect(try distance(permutedContext, context) <= rounding, sourceLocation: sourceLocation)
  }

  let lengths = [19, 8, 1]
  var (paddedKeys, paddedValues) = (keys, values)
  for b in 0..<batch {
    for j in lengths[b]..<keyLength {
      for d in 0..<keyDimensions { paddedKeys[b, j, d] = .nan }
      for d in 0..<4 { paddedValues[b, j, d] = .nan }
    }
  }
  let outputGradient = numbers.tensor([batch, queryLength, 4])
  let (padded, pullback) = layer.valueWithPullback(
    queries, keys: paddedKeys, values: paddedValues, mask: .keyLengths(lengths))
  let gradients = pullback(outputGradient)
  let paddedWeights = layer.weights(queries, keys: paddedKeys, mask: .keyLengths(lengths))
  for b in 0..<batch {
    let (alone, alonePullback) = layer.valueWithPullback(
      queries.sequence(b), keys: keys.sequence(b).prefix(lengths[b]), values: values.sequence(b).prefix(lengths[b]),
      mask: .none)
    let aloneGradients = alonePullback(outputGradient.sequence(b))
    let aloneWeights = layer.weights(
      queries.sequence(b), keys: keys.sequence(b).prefix(lengths[b]), mask: .none)
    #expect(padded.sequence(b) == alone, "context \(b)", sourceLocation: sourceLocation)
    #expect(gradients.queries.sequence(b) == aloneGradients.queries, "queries \(b)", sourceLocation: sourceLocation)
    #expect(
      gradients.keys.sequence(b).prefix(lengths[b]) == aloneGradients.keys, "keys \(b)",
      sourceLocation: sourceLocation)
    #expect(
      gradients.values?.sequence(b).prefix(lengths[b]) == aloneGradients.values, "values \(b)",
      sourceLocation: sourceLocation)
    let transposed = paddedWeights.sequence(b).transposedRows
    #expect(
      transposed.prefix(lengths[b]).transposedRows == aloneWeights, "weights \(b)", sourceLocation: sourceLocation)
    #expect(transposed.rowSums().dropFirst(lengths[b]).allSatisfy { $0 == 0 }, sourceLocation: sourceLocation)
    let paddedKeyGradients = gradients.keys.sequence(b).rowSums().dropFirst(lengths[b])
    #expect(paddedKeyGradients.allSatisfy { $0 == 0 }, sourceLocation: sourceLocation)
  }
}

/// Expects a stopped process to have said all of `texts`.
func expect(_ exit: ExitTest.Result?, says texts: String...) throws {
  let said = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
  for text in texts { #expect(said.contains(text), "\(said)") }
}
