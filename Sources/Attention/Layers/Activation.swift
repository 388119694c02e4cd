#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The function between the two affine layers of ``FeedForward``, element by element:
///
///     relu(x) = max(x, 0)
///     gelu(x) = x·Φ(x) = x/2 · (1 + erf(x/√2))
///     geluTanh(x) = x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))
///
/// x of any shape → the same shape. GELU: Hendrycks and Gimpel 2016, arXiv:1606.08415; PyTorch's `gelu` with
/// `approximate="none"` and `"tanh"`. Computed in `Double`; ReLU has the derivative 0 at 0.
///
/// ```swift
/// let y = Activation.gelu(x)
/// ```
public enum Activation: Sendable, CaseIterable {
  /// max(x, 0).
  case relu
  /// x·Φ(x), with the error function.
  case gelu
  /// GELU with the error function approximated by a hyperbolic tangent.
  case geluTanh

  /// Each element through the function.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .relu: x.mapped { $0 < 0 ? 0 : $0 }
    case .gelu: x.mapped { Float(Double($0) * normalDistribution(Double($0))) }
    case .geluTanh: x.mapped { Float(Double($0) / 2 * (1 + tanh(tanhArgument(Double($0))))) }
    }
  }

  /// The output, and the map of its gradient to that of x, zeros in rows where the gradient is zeros.
  public func valueWithPullback(_ x: Tensor) -> (value: Tensor, pullback: @Sendable (Tensor) -> Tensor) {
    (
      self(x),
      { gradient in
        require(
          gradient.shape == x.shape, "Activation: expected an output gradient \(x.shape), got \(gradient.shape)")
        return gradient.scaled(by: x.mapped { Float(derivative(Double($0))) }.visibleRows(under: gradient))
      }
    )
  }

  private func derivative(_ x: Double) -> Double {
    switch self {
    case .relu: return x > 0 ? 1 : x.isNaN ? x : 0
    case .gelu: return normalDistribution(x) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    case .geluTanh:
      let t = tanh(tanhArgument(x))
      return (1 + t) / 2 + x / 2 * (1 - t * t) * (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
    }
  }
}

/// Φ(x).
private func normalDistribution(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

private func tanhArgument(_ x: Double) -> Double { (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x) }
