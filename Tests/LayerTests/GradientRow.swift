import Attention
import AttentionReference
import Testing

/// Numbers in `Double` under the names of parameters and inputs.
typealias Numbers = [String: [Double]]

/// What a formula gives, in `Double`.
struct FormulaResult {
  /// What softmax is taken of, [B, Tq, Tk]; −∞ where a pair is masked. Where weights are scaled afterwards, plus the
  /// logarithm of that scale: a weight changes with its change.
  var scores: [Double]
  /// What the loss is linear in, a row for each query: [B, Tq, any].
  var outputs: [Double]
}

/// A layer whose gradients are compared with differences of its formula. A new layer is one more row of
/// ``GradientRow/all``.
struct GradientRow: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Parameters under PyTorch's names, then `queries`, `keys` and `values`.
  let tensors: [NamedTensor]
  /// The gradients of these by the layer.
  let gradients: [NamedTensor]
  /// The factor of each output in the loss, a row for each query.
  let factors: [Double]
  /// For each query, the largest factor of a weight in the loss, such as max_j Σ_d |do_d v_jd|.
  let weightFactors: [Double]
  let formula: @Sendable (Numbers) -> FormulaResult
  /// M: the largest sum of magnitudes behind a score.
  let scoreMagnitude: Double

  static let (batch, queryLength, keyLength, queryDimensions, keyDimensions, hidden, width) = (2, 3, 5, 4, 3, 5, 2)
  static let lengths = [5, 3]
  /// The last query of the second sequence sees nothing.
  static let attend = [true, true, true, true, true, false]
  static let mask: AttentionMask = .keyLengths(lengths) & .boolean(attend, shape: [2, 1, 3, 1])

  static var options: ReferenceOptions {
    ReferenceOptions(keyLengths: lengths, mask: ReferenceBroadcast(elements: attend, shape: [2, 1, 3, 1]))
  }

  /// Random inputs in −1...1: queries [2, 3, 4], keys [2, 5, `keyDimensions`], values [2, 5, 2].
  struct Inputs {
    let queries, keys, values, outputGradient: Tensor

    init(keyDimensions: Int) {
      var numbers = AlignmentNumbers(seed: 12)
      queries = numbers.tensor([batch, queryLength, queryDimensions])
      keys = numbers.tensor([batch, keyLength, keyDimensions])
      values = numbers.tensor([batch, keyLength, width])
      outputGradient = numbers.tensor([batch, queryLength, width])
    }

    var named: [NamedTensor] {
      [NamedTensor("queries", queries), NamedTensor("keys", keys), NamedTensor("values", values)]
    }
  }

  /// A layer's context.
  init<Layer: AlignmentLayer & ParameterContainer>(
    _ name: String, _ layer: Layer, keyDimensions: Int, isSequential: Bool = false, scoreMagnitude: Double,
    formula: @escaping @Sendable (Numbers) -> FormulaResult
  ) where Layer.Gradients: NamedTensors {
    let inputs = Inputs(keyDimensions: keyDimensions)
    let pullback = layer.valueWithPullback(
      inputs.queries, keys: inputs.keys, values: inputs.values, mask: Self.mask
    ).pullback
    self.init(
      name, layer, inputs, pullback(inputs.outputGradient), factors: inputs.outputGradient.scalars.map { Double($0) },
      isSequential: isSequential, scoreMagnitude: scoreMagnitude, formula: formula)
  }

  /// Gradients from elsewhere. `advantages` are the factors of ln α of the keys chosen, behind the context in each row.
  /// The weights of a layer that is sequential depend on the scores of the queries before, too: these have the factors of
  /// all that follow, and a weight is a product of as many probabilities as there are steps, each with its score's error.
  init<Layer: AlignmentLayer & ParameterContainer>(
    _ name: String, _ layer: Layer, _ inputs: Inputs, _ gradients: AlignmentGradients<Layer.Gradients>,
    factors: [Double], advantages: [Double]? = nil, isSequential: Bool = false, scoreMagnitude: Double,
    formula: @escaping @Sendable (Numbers) -> FormulaResult
  ) where Layer.Gradients: NamedTensors {
    testDescription = name
    tensors = layer.parameters + inputs.named
    self.gradients =
      gradients.parameters.parameters + [
        NamedTensor("queries", gradients.queries), NamedTensor("keys", gradients.keys),
        NamedTensor("values", gradients.values!),
      ]
    self.factors = factors
    let (values, dO) = (inputs.values.scalars, inputs.outputGradient.scalars)
    var weightFactors =
      advantages?.map(\.magnitude)
      ?? (0..<Self.batch * Self.queryLength).map { row in
        (0..<Self.keyLength).map { j in
          (0..<Self.width).reduce(0) { sum, d in
            let value = values[(row / Self.queryLength * Self.keyLength + j) * Self.width + d]
            return sum + Double((dO[row * Self.width + d] * value).magnitude)
          }
        }.max()!
      }
    if isSequential {
      for row in weightFactors.indices.reversed() where row % Self.queryLength + 1 < Self.queryLength {
        weightFactors[row] += weightFactors[row + 1]
      }
    }
    self.weightFactors = weightFactors
    self.scoreMagnitude = scoreMagnitude * (isSequential ? Double(Self.queryLength + Self.keyLength) : 1)
    self.formula = formula
  }
}

/// Formulas of the papers in `Double`, put together from those of the oracle.
enum Formula {
  /// x·Wᵀ + b of rows x, W [out, in].
  static func affine(_ x: [Double], _ weight: [Double], bias: [Double]? = nil, inputs: Int) -> [Double] {
    let outputs = weight.count / inputs
    return (0..<x.count / inputs).flatMap { row in
      (0..<outputs).map { o in
        (0..<inputs).reduce(bias?[o] ?? 0) { $0 + x[row * inputs + $1] * weight[o * inputs + $1] }
      }
    }
  }

  /// The transpose of [rows, columns].
  static func transposed(_ matrix: [Double], columns: Int) -> [Double] {
    (0..<columns).flatMap { column in
      stride(from: column, to: matrix.count, by: columns).map { matrix[$0] }
    }
  }

  /// Columns of [rows, columns].
  static func columns(_ range: Range<Int>, of matrix: [Double], columns: Int) -> [Double] {
    stride(from: 0, to: matrix.count, by: columns).flatMap { matrix[$0 + range.lowerBound..<$0 + range.upperBound] }
  }

  /// Rows divided by their lengths.
  static func unit(_ x: [Double], dimensions: Int) -> [Double] {
    stride(from: 0, to: x.count, by: dimensions).flatMap { first in
      let row = x[first..<first + dimensions]
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / length }
    }
  }

  /// The oracle's attention of one head over the rows' inputs.
  static func attention(
    _ queries: [Double], _ keys: [Double], _ values: [Double], dimension: Int,
    _ change: (inout ReferenceOptions) -> Void
  ) -> FormulaResult {
    let result = matrices(queries, keys, values, dimension: dimension, change)
    return FormulaResult(scores: result.scores!, outputs: result.output)
  }

  static func matrices(
    _ queries: [Double], _ keys: [Double], _ values: [Double], dimension: Int,
    _ change: (inout ReferenceOptions) -> Void
  ) -> ReferenceResult {
    var options = GradientRow.options
    change(&options)
    return referenceAttention(
      queries: queries, keys: keys, values: values,
      shape: ReferenceShape(
        batch: GradientRow.batch, queryHeads: 1, keyHeads: 1, queryLength: GradientRow.queryLength,
        keyLength: GradientRow.keyLength, headDimension: dimension, valueDimension: GradientRow.width),
      options: options, emittingMatrices: true)
  }
}
