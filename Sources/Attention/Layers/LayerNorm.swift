/// Layer normalisation (Ba, Kiros, Hinton 2016, arXiv:1607.06450):
///
///     y = (x − μ) ÷ √(σ² + ε) · γ + β
///
/// with mean μ and (biased) variance σ² of each row. x [..., n], γ and β [n] → y [..., n]. γ and β are `weight` and
/// `bias` in PyTorch and MLX. Sums are taken in `Double`.
///
/// ```swift
/// let norm = LayerNorm(512)
/// let y = norm(x)
/// ```
public struct LayerNorm: Sendable, Equatable {
  /// γ, [n]; nil = 1.
  public var weight: Tensor?
  /// β, [n]; nil = 0.
  public var bias: Tensor?
  /// ε, what keeps a constant row finite.
  public var eps: Double
  /// n, the extent of the axis that is normalised.
  public let dimensions: Int

  /// What a loss changes by with each parameter.
  public struct Gradients: Sendable, Equatable {
    /// [n]; nil without γ.
    public var weight: Tensor?
    /// [n]; nil without β.
    public var bias: Tensor?
  }

  /// γ = 1 and β = 0, as in PyTorch; neither with `affine: false`, no β with `bias: false`.
  public init(_ dimensions: Int, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true) {
    require(dimensions > 0, "LayerNorm: expected positive dimensions, got \(dimensions)")
    self.dimensions = dimensions
    self.eps = eps
    weight = affine ? Tensor(repeating: 1, shape: [dimensions]) : nil
    self.bias = affine && bias ? Tensor(repeating: 0, shape: [dimensions]) : nil
  }

  /// [..., n] → [..., n].
  public func callAsFunction(_ x: Tensor) -> Tensor { affine(normalized(x).rows) }

  /// The output, and the map of its gradient to those of the parameters and of x. A row of zeros in the gradient adds
  /// nothing, whatever x holds there.
  public func valueWithPullback(
    _ x: Tensor
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (parameters: Gradients, input: Tensor)) {
    let (rows, inverseDeviations) = normalized(x)
    return (affine(rows), { gradient in gradients(gradient, rows, inverseDeviations) })
  }

  /// x̂ = (x − μ)/√(σ² + ε), and 1/√(σ² + ε) of each row.
  private func normalized(_ x: Tensor) -> (rows: Tensor, inverseDeviations: [Double]) {
    require(
      x.rank >= 1 && x.shape[x.rank - 1] == dimensions, "LayerNorm: expected [..., \(dimensions)], got \(x.shape)")
    var inverseDeviations: [Double] = []
    inverseDeviations.reserveCapacity(x.count / dimensions)
    var rows = x
    rows.withMutableScalars { span in
      for first in stride(from: 0, to: span.count, by: dimensions) {
        var sum = 0.0
        for index in first..<first + dimensions { sum += Double(span[index]) }
        let mean = sum / Double(dimensions)
        var squares = 0.0
        for index in first..<first + dimensions {
          let deviation = Double(span[index]) - mean
          squares += deviation * deviation
        }
        let inverse = 1 / (squares / Double(dimensions) + eps).squareRoot()
        for index in first..<first + dimensions { span[index] = Float((Double(span[index]) - mean) * inverse) }
        inverseDeviations.append(inverse)
      }
    }
    return (rows, inverseDeviations)
  }

  private func affine(_ rows: Tensor) -> Tensor {
    guard let weight else { return rows }
    var y = rows
    y.withMutableScalars { span in
      for first in stride(from: 0, to: span.count, by: dimensions) {
        for column in 0..<dimensions { span[first + column] *= weight.scalars[column] }
      }
    }
    return bias.map { y.addingToRows($0) } ?? y
  }

  /// With g = dy·γ: dx = (g − mean(g) − x̂·mean(g·x̂)) ÷ √(σ² + ε), dγ = Σ dy·x̂, dβ = Σ dy.
  private func gradients(
    _ outputGradient: Tensor, _ rows: Tensor, _ inverseDeviations: [Double]
  ) -> (parameters: Gradients, input: Tensor) {
    require(
      outputGradient.shape == rows.shape,
      "LayerNorm: expected an output gradient \(rows.shape), got \(outputGradient.shape)")
    let n = Double(dimensions)
    var weightSums = [Double](repeating: 0, count: dimensions)
    var biasSums = weightSums
    var input = outputGradient
    let (dy, normalized) = (outputGradient.scalars.span, rows.scalars.span)
    input.withMutableScalars { dx in
      for (row, inverse) in inverseDeviations.enumerated() where !outputGradient.isZero(row: row) {
        let first = row * dimensions
        var (sum, product) = (0.0, 0.0)
        for column in 0..<dimensions {
          let (d, x) = (Double(dy[first + column]), Double(normalized[first + column]))
          weightSums[column] += d * x
          biasSums[column] += d
          let g = d * Double(weight?.scalars[column] ?? 1)
          sum += g
          product += g * x
        }
        for column in 0..<dimensions {
          let g = Double(dy[first + column]) * Double(weight?.scalars[column] ?? 1)
          dx[first + column] = Float((g - sum / n - Double(normalized[first + column]) * product / n) * inverse)
        }
      }
    }
    func vector(_ sums: [Double]) -> Tensor { Tensor(sums.map { Float($0) }, shape: [dimensions]) }
    return (
      Gradients(weight: weight == nil ? nil : vector(weightSums), bias: bias == nil ? nil : vector(biasSums)), input
    )
  }
}

extension LayerNorm: ParameterContainer {
  /// `weight` and `bias`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] { mirror.parameters(naming: naming) }

  var mirror: Gradients { Gradients(weight: weight, bias: bias) }

  /// Takes those of `weight` and `bias` that the layer has.
  public mutating func update(from reader: ParameterReader) throws(ParameterError) {
    if weight != nil { weight = try reader.tensor("weight", shape: [dimensions]) }
    if bias != nil { bias = try reader.tensor("bias", shape: [dimensions]) }
  }
}

extension LayerNorm.Gradients: NamedTensors {
  /// `weight` and `bias`.
  public func parameters(naming: ParameterNaming) -> [NamedTensor] {
    (weight.map { [NamedTensor("weight", $0)] } ?? []) + (bias.map { [NamedTensor("bias", $0)] } ?? [])
  }
}
