import Attention
import AttentionReference
import Foundation

extension GradientRow {
  static let all: [GradientRow] =
    additive + [dot, scaledDot, general, concat, cosine, local, predictiveLocal, hard, sampled]
    + monotonic

  /// Two weights with a bias, two without, and one for both.
  private static var additive: [GradientRow] {
    func formula(_ keyWeight: String, keyDimensions: Int) -> @Sendable (Numbers) -> FormulaResult {
      { x in
        Formula.attention(
          Formula.affine(x["queries"]!, x["W_q.weight"]!, bias: x["W_q.bias"], inputs: queryDimensions),
          Formula.affine(x["keys"]!, x[keyWeight]!, inputs: keyDimensions), x["values"]!, dimension: hidden
        ) { $0.additive = x["w_v.weight"] }
      }
    }
    func row(_ name: String, _ layer: AdditiveAttention, _ keyWeight: String, _ keyDimensions: Int) -> GradientRow {
      GradientRow(
        name, layer, keyDimensions: keyDimensions, scoreMagnitude: sumOfMagnitudes(layer.vector),
        formula: formula(keyWeight, keyDimensions: keyDimensions))
    }
    let separate = { AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, bias: $0, seed: 1) }
    let shared = AdditiveAttention(dimensions: 4, hiddenDimensions: 5, sharesWeight: true, seed: 2)
    return [
      row("additive", separate(true), "W_k.weight", 3), row("additive without bias", separate(false), "W_k.weight", 3),
      row("additive, one weight", shared, "W_q.weight", 4),
    ]
  }

  private static var dot: GradientRow {
    let formula = product(dimension: 4, scale: 1)
    return GradientRow(
      "dot", DotProductAttention(), keyDimensions: 4, scoreMagnitude: magnitude(formula, keyDimensions: 4),
      formula: formula)
  }

  private static var scaledDot: GradientRow {
    let formula = product(dimension: 4, scale: nil)
    return GradientRow(
      "scaled dot", ScaledDotProductAttention(), keyDimensions: 4,
      scoreMagnitude: magnitude(formula, keyDimensions: 4), formula: formula)
  }

  private static let generalLayer = GeneralAttention(dimensions: 4, keyDimensions: 3, seed: 1)
  private static var generalMagnitude: Double {
    magnitude({ bilinear($0) { _ in } }, keyDimensions: 3, parameters: generalLayer.parameters)
  }

  private static var general: GradientRow {
    GradientRow("general", generalLayer, keyDimensions: 3, scoreMagnitude: generalMagnitude) { bilinear($0) { _ in } }
  }

  private static var local: GradientRow {
    GradientRow(
      "local", LocalAttention(generalLayer, window: 1), keyDimensions: 3, scoreMagnitude: generalMagnitude
    ) { x in
      bilinear(x) { options in
        options.windowLeft = 1
        options.windowRight = 1
      }
    }
  }

  private static var concat: GradientRow {
    let layer = ConcatAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 1)
    return GradientRow("concat", layer, keyDimensions: 3, scoreMagnitude: sumOfMagnitudes(layer.vector)) { x in
      let weight = x["attn.weight"]!
      return Formula.attention(
        Formula.affine(x["queries"]!, Formula.columns(0..<4, of: weight, columns: 7), inputs: 4),
        Formula.affine(x["keys"]!, Formula.columns(4..<7, of: weight, columns: 7), inputs: 3), x["values"]!,
        dimension: hidden
      ) { $0.additive = x["v"] }
    }
  }

  private static var cosine: GradientRow {
    let temperature: Float = 0.375
    return GradientRow(
      "cosine", CosineAttention(temperature: temperature), keyDimensions: 4, scoreMagnitude: 1 / Double(temperature)
    ) { x in
      Formula.attention(
        Formula.unit(x["queries"]!, dimensions: 4), Formula.unit(x["keys"]!, dimensions: 4), x["values"]!, dimension: 4
      ) { $0.scale = 1 / x["temperature"]![0] }
    }
  }

  /// p = S·σ(v·tanh(W q)); weights in the window of 2 around it, times exp(−(j − p)²/2) with σ = 1.
  private static var predictiveLocal: GradientRow {
    let layer = PredictiveLocalAttention(generalLayer, dimensions: 4, hiddenDimensions: 5, window: 2, seed: 2)
    return GradientRow("predictive local", layer, keyDimensions: 3, scoreMagnitude: generalMagnitude) { x in
      let centres = centres(x)
      let distances = (0..<batch * queryLength * keyLength).map { Double($0 % keyLength) - centres[$0 / keyLength] }
      var scores = x
      scores["attn.weight"] = x["score.attn.weight"]
      let near = zip(distances, attend.flatMap { [Bool](repeating: $0, count: keyLength) }).map {
        $0.magnitude <= 2 && $1
      }
      let result = bilinearMatrices(scores) { options in
        options.mask = ReferenceBroadcast(elements: near, shape: [batch, 1, queryLength, keyLength])
      }
      var outputs = [Double](repeating: 0, count: batch * queryLength * width)
      for (pair, distance) in distances.enumerated() {
        let (row, value) = (pair / keyLength, pair / keyLength / queryLength * keyLength + pair % keyLength)
        for d in 0..<width {
          outputs[row * width + d] +=
            result.weights![pair] * exp(-distance * distance / 2) * x["values"]![value * width + d]
        }
      }
      return FormulaResult(scores: zip(result.scores!, distances).map { $0 - $1 * $1 / 2 }, outputs: outputs)
    }
  }

  /// The predicted positions, [B·Tq].
  static func centres(_ x: Numbers) -> [Double] {
    let hidden = Formula.affine(x["queries"]!, x["W_p.weight"]!, inputs: 4).map { tanh($0) }
    let z = Formula.affine(hidden, x["v_p.weight"]!, inputs: self.hidden)
    return z.enumerated().map { row, z in Double(lengths[row / queryLength]) / (1 + exp(-z)) }
  }

  /// α_ij = p_ij Σ_{k ≤ j} α_{i−1,k} Π_{k ≤ l < j} (1 − p_il), p = σ(score + r), by each kind of score.
  private static var monotonic: [GradientRow] {
    func formula(
      _ scores: @escaping @Sendable (Numbers) -> FormulaResult
    ) -> @Sendable (Numbers) -> FormulaResult {
      { x in
        var own = x
        for (name, numbers) in x where name.hasPrefix("score.") { own[String(name.dropFirst(6))] = numbers }
        return monotonic(scores(own).scores, offset: x["offset"]![0], values: x["values"]!)
      }
    }
    let additiveLayer = AdditiveAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 1)
    let concatLayer = ConcatAttention(dimensions: 4, keyDimensions: 3, hiddenDimensions: 5, seed: 1)
    return [
      GradientRow(
        "monotonic, concat", MonotonicAttention(concatLayer, offset: -0.25), keyDimensions: 3, isSequential: true,
        scoreMagnitude: sumOfMagnitudes(concatLayer.vector), formula: formula(concat.formula)),
      GradientRow(
        "monotonic, scaled dot", MonotonicAttention(ScaledDotProductAttention(), offset: 0.25), keyDimensions: 4,
        isSequential: true, scoreMagnitude: magnitude(product(dimension: 4, scale: nil), keyDimensions: 4),
        formula: formula(product(dimension: 4, scale: nil))),
      GradientRow(
        "monotonic, additive", MonotonicAttention(additiveLayer, offset: -0.5), keyDimensions: 3, isSequential: true,
        scoreMagnitude: sumOfMagnitudes(additiveLayer.vector), formula: formula(additive[0].formula)),
      GradientRow(
        "monotonic, general", MonotonicAttention(generalLayer, offset: 0.25), keyDimensions: 3, isSequential: true,
        scoreMagnitude: generalMagnitude, formula: formula { bilinear($0) { _ in } }),
      GradientRow(
        "monotonic, dot", MonotonicAttention(DotProductAttention(), offset: 0.25), keyDimensions: 4,
        isSequential: true, scoreMagnitude: magnitude(product(dimension: 4, scale: 1), keyDimensions: 4),
        formula: formula(product(dimension: 4, scale: 1))),
    ]
  }

  private static func monotonic(_ scores: [Double], offset: Double, values: [Double]) -> FormulaResult {
    let stop = scores.map { 1 / (1 + exp(-($0 + offset))) }
    var outputs: [Double] = []
    for b in 0..<batch {
      var before = (0..<keyLength).map { $0 == 0 ? 1.0 : 0 }
      for i in 0..<queryLength {
        let p = stop[(b * queryLength + i) * keyLength..<(b * queryLength + i + 1) * keyLength].map { $0 }
        let sees = attend[b * queryLength + i]
        let weights = (0..<keyLength).map { j -> Double in
          p[j] * (0...j).reduce(0) { sum, k in sum + before[k] * (k..<j).reduce(1) { $0 * (1 - p[$1]) } }
        }
        if sees { before = weights }
        outputs += (0..<width).map { d in
          (0..<keyLength).reduce(0) { $0 + (sees ? weights[$1] : 0) * values[(b * keyLength + $1) * width + d] }
        }
      }
    }
    return FormulaResult(scores: scores, outputs: outputs)
  }

  /// The arg-max: the values alone have a gradient.
  private static var hard: GradientRow {
    GradientRow("hard", HardAttention(generalLayer), keyDimensions: 3, scoreMagnitude: generalMagnitude) { x in
      let result = bilinearMatrices(x) { _ in }
      let best = (0..<batch * queryLength).map { row -> Int? in
        let weights = result.weights![row * keyLength..<(row + 1) * keyLength]
        let largest = weights.max()!
        return largest == 0 ? nil : weights.firstIndex(of: largest)! - weights.startIndex
      }
      return FormulaResult(scores: result.scores!, outputs: chosen(x, best).flatMap { $0 })
    }
  }

  /// Of a sample, the score-function gradient: Σ_i advantage_i ln α_{i s_i} + ⟨do_i, value_{s_i}⟩ with the s_i as drawn.
  private static var sampled: GradientRow {
    let layer = HardAttention(generalLayer)
    let inputs = Inputs(keyDimensions: 3)
    let (sample, pullback) = layer.sampleWithPullback(
      inputs.queries, keys: inputs.keys, values: inputs.values, mask: mask, seed: 3)
    let advantages: [Float] = [0.75, -1.25, 0.5, -0.25, 1, 2]
    let gradients = pullback(inputs.outputGradient, Tensor(advantages, shape: [batch, queryLength]))
    let positions = sample.positions
    var factors: [Double] = []
    for (row, advantage) in advantages.enumerated() {
      factors += inputs.outputGradient.scalars[row * width..<(row + 1) * width].map { Double($0) }
      factors.append(Double(advantage))
    }
    return GradientRow(
      "sampled", layer, inputs, gradients, factors: factors, advantages: advantages.map { Double($0) },
      scoreMagnitude: generalMagnitude
    ) { x in
      let result = bilinearMatrices(x) { _ in }
      var outputs: [Double] = []
      for (row, value) in chosen(x, positions).enumerated() {
        outputs += value
        outputs.append(positions[row].map { log(result.weights![row * keyLength + $0]) } ?? 0)
      }
      return FormulaResult(scores: result.scores!, outputs: outputs)
    }
  }

  /// The values at the positions; 0 at none.
  private static func chosen(_ x: Numbers, _ positions: [Int?]) -> [[Double]] {
    positions.enumerated().map { row, position in
      guard let position else { return [Double](repeating: 0, count: width) }
      let first = (row / queryLength * keyLength + position) * width
      return Array(x["values"]![first..<first + width])
    }
  }

  private static func product(dimension: Int, scale: Double?) -> @Sendable (Numbers) -> FormulaResult {
    { x in
      Formula.attention(x["queries"]!, x["keys"]!, x["values"]!, dimension: dimension) { $0.scale = scale }
    }
  }

  /// q·W·k.
  private static func bilinear(_ x: Numbers, _ change: (inout ReferenceOptions) -> Void) -> FormulaResult {
    let result = bilinearMatrices(x, change)
    return FormulaResult(scores: result.scores!, outputs: result.output)
  }

  private static func bilinearMatrices(_ x: Numbers, _ change: (inout ReferenceOptions) -> Void) -> ReferenceResult {
    let queries = Formula.affine(x["queries"]!, Formula.transposed(x["attn.weight"]!, columns: 3), inputs: 4)
    return Formula.matrices(queries, x["keys"]!, x["values"]!, dimension: 3) { options in
      options.scale = 1
      change(&options)
    }
  }

  /// The largest score of magnitudes.
  private static func magnitude(
    _ formula: (Numbers) -> FormulaResult, keyDimensions: Int, parameters: [NamedTensor] = []
  ) -> Double {
    var numbers: Numbers = [:]
    for tensor in parameters + Inputs(keyDimensions: keyDimensions).named {
      numbers[tensor.name] = tensor.tensor.scalars.map { Double($0.magnitude) }
    }
    return formula(numbers).scores.max()!
  }

  private static func sumOfMagnitudes(_ tensor: Tensor) -> Double {
    tensor.scalars.reduce(0) { $0 + Double($1.magnitude) }
  }
}
