/// Attention by the angle between query and key:
///
///     α_ij = softmax_j(cos(q_i, k_j) / τ),  cos(q, k) = q · k / (‖q‖ ‖k‖),  context_i = Σ_j α_ij value_j
///
/// Queries [B, D] or [B, Tq, D], keys [B, Tk, D], values [B, Tk, Dv] → context [B, Dv] or [B, Tq, Dv], weights [B, Tk]
/// or [B, Tq, Tk]. A vector of zeros has cosine 0 with every other, and gradient 0.
///
/// The content-based addressing of Graves et al. 2014 (arXiv:1410.5401), whose key strength β is 1/τ.
///
/// ```swift
/// let layer = CosineAttention(temperature: 0.1)
/// let read = layer(head, keys: memory)
/// ```
public struct CosineAttention: AlignmentLayer, Equatable {
  /// τ: near 0 the best key takes all, large values even the weights out. Not 0.
  public var temperature: Float

  /// Gradients of the parameters.
  public struct Gradients: Sendable, Equatable {
    /// Of τ.
    public var temperature: Float
  }

  /// A layer with the given temperature.
  public init(temperature: Float = 1) {
    self.temperature = temperature
    check()
  }

  /// The context.
  public func callAsFunction(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> Tensor {
    let inputs = checked(queries, keys, values)
    return inputs.productAttention(
      queries: inputs.queries.directions().unit, keys: inputs.keys.directions().unit, scale: scale, mask: mask)
  }

  /// The weights α, made when rows of them are asked for.
  public func weightsOnDemand(
    _ queries: Tensor, keys: Tensor, mask: AttentionMask = .none
  ) -> AttentionWeights {
    let inputs = checked(queries, keys, nil)
    return inputs.productWeights(
      queries: inputs.queries.directions().unit, keys: inputs.keys.directions().unit, scale: scale, mask: mask)
  }

  /// The context and its pullback.
  public func valueWithPullback(
    _ queries: Tensor, keys: Tensor, values: Tensor? = nil, mask: AttentionMask = .none
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> AlignmentGradients<Gradients>) {
    let inputs = checked(queries, keys, values)
    let (q, k) = (inputs.queries.directions(), inputs.keys.directions())
    let (context, pullback) = inputs.productAttentionWithPullback(
      queries: q.unit, keys: k.unit, scale: scale, mask: mask)
    return (
      context,
      { outputGradient in
        let gradients = pullback(outputGradient)
        // s = cos/τ: Σ ds·∂s/∂τ = −Σ_i q̂_i·dq̂_i / τ, where dq̂ is the gradient of the unit query.
        let units = q.unit.visibleRows(under: gradients.queries).scalars
        let products = zip(units, gradients.queries.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        return inputs.gradients(
          Gradients(temperature: Float(-products / Double(temperature))),
          queries: q.pullback(gradients.queries), keys: k.pullback(gradients.keys), values: gradients.values)
      }
    )
  }

  private var scale: Double { 1 / Double(temperature) }

  private func checked(_ queries: Tensor, _ keys: Tensor, _ values: Tensor?) -> AlignmentInputs {
    check()
    return AlignmentInputs(
      "CosineAttention", queries: queries, keys: keys, values: values, queryDimensions: nil,
      keyDimensions: queries.shape.last)
  }

  private func check() {
    require(
      temperature.isFinite && temperature != 0,
      "CosineAttention: expected a temperature that is finite and not 0, got \(temperature)")
  }
}

/// The rows of a tensor divided by their lengths.
struct Directions: Sendable {
  let unit: Tensor
  let lengths: [Double]

  /// dx = (dy − y (y·dy)) / ‖x‖, 0 where x or dy is 0: a masked row may hold NaN.
  func pullback(_ gradient: Tensor) -> Tensor {
    let width = unit.shape[unit.rank - 1]
    var result = gradient
    for (row, length) in lengths.enumerated() {
      let range = row * width..<(row + 1) * width
      let along = range.reduce(0) { $0 + Double(unit.scalars[$1]) * Double(gradient.scalars[$1]) }
      let isZero = length == 0 || !gradient.scalars[range].contains { $0 != 0 }
      result.withMutableScalars { span in
        for index in range {
          span[index] =
            isZero ? 0 : Float((Double(gradient.scalars[index]) - Double(unit.scalars[index]) * along) / length)
        }
      }
    }
    return result
  }
}

extension Tensor {
  /// Lengths in `Double`: squares of `Float`s neither overflow nor vanish there.
  fileprivate func directions() -> Directions {
    let width = shape[rank - 1]
    var unit = scalars
    var lengths: [Double] = []
    for row in 0..<(width == 0 ? 0 : count / width) {
      let range = row * width..<(row + 1) * width
      let length = range.reduce(0) { $0 + Double(scalars[$1]) * Double(scalars[$1]) }.squareRoot()
      lengths.append(length)
      for index in range where length != 0 { unit[index] = Float(Double(scalars[index]) / length) }
    }
    return Directions(unit: Tensor(unit, shape: shape), lengths: lengths)
  }
}
