#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Rotary position embeddings (Su et al. 2021, arXiv:2104.09864): pair k of the coordinates at position m is turned by
/// the angle m·base^(−2k/d),
///
///     (a, b) → (a·cos − b·sin, a·sin + b·cos)
///
/// so that q·k depends on the distance of their positions alone. x [B, H, S, D] → the same shape; of D coordinates the
/// first d are turned. The paper pairs neighbours, (0, 1), (2, 3), …: ``Convention/interleaved``, MLX's
/// `traditional: true`, GPT-J. GPT-NeoX and Llama (as Hugging Face stores it) pair k with k + d/2:
/// ``Convention/halfSplit``, MLX's default, `rotate_half`.
///
/// ```swift
/// let rotary = RotaryEmbedding(dimensions: 64)
/// let q = rotary(queries), k = rotary(keys)
/// ```
public struct RotaryEmbedding: Sendable, Equatable {
  /// Which coordinates make a pair.
  public enum Convention: Sendable, CaseIterable {
    /// k and k + d/2.
    case halfSplit
    /// 2k and 2k + 1.
    case interleaved
  }

  /// d, even: how many coordinates are turned.
  public let dimensions: Int
  /// Of the angles; 10 000 in the paper.
  public var base: Double
  /// Multiplies the positions.
  public var scale: Double
  /// Which coordinates make a pair.
  public var convention: Convention

  /// It has no parameters to train.
  public init(
    dimensions: Int, base: Double = 10_000, scale: Double = 1, convention: Convention = .halfSplit
  ) {
    require(
      dimensions >= 0 && dimensions % 2 == 0,
      "RotaryEmbedding: expected an even number of dimensions, got \(dimensions)")
    self.dimensions = dimensions
    self.base = base
    self.scale = scale
    self.convention = convention
  }

  /// [B, H, S, D] → [B, H, S, D], row s standing at position s + offset.
  public func callAsFunction(_ x: Tensor, offset: Int = 0) -> Tensor {
    self(x, offsets: [Int](repeating: offset, count: x.shape.first ?? 0))
  }

  /// The same with an offset for each of the B sequences.
  public func callAsFunction(_ x: Tensor, offsets: [Int]) -> Tensor { turned(x, offsets, direction: 1) }

  /// The output, and the map of its gradient to that of x: the turn back.
  public func valueWithPullback(
    _ x: Tensor, offset: Int = 0
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> Tensor) {
    let offsets = [Int](repeating: offset, count: x.shape.first ?? 0)
    let shape = x.shape
    return (
      self(x, offsets: offsets),
      { gradient in
        require(
          gradient.shape == shape, "RotaryEmbedding: expected an output gradient \(shape), got \(gradient.shape)")
        return pullback(gradient, offsets: offsets)
      }
    )
  }

  func pullback(_ gradient: Tensor, offsets: [Int]) -> Tensor { turned(gradient, offsets, direction: -1) }

  private func turned(_ x: Tensor, _ offsets: [Int], direction: Double) -> Tensor {
    require(
      x.rank == 4 && x.shape[3] >= dimensions,
      "RotaryEmbedding: expected [B, H, S, D] with D at least \(dimensions), got \(x.shape)")
    require(
      offsets.count == x.shape[0],
      "RotaryEmbedding: expected \(x.shape[0]) offsets for \(x.shape), got \(offsets.count)")
    let (heads, length, width, pairs) = (x.shape[1], x.shape[2], x.shape[3], dimensions / 2)
    let frequencies = (0..<pairs).map { scale * pow(base, -Double(2 * $0) / Double(dimensions)) }
    let (step, second) = convention == .halfSplit ? (1, pairs) : (2, 1)
    var result = x
    result.withMutableScalars { span in
      for (sequence, offset) in offsets.enumerated() {
        for position in 0..<length {
          for pair in 0..<pairs {
            let angle = Double(position + offset) * frequencies[pair]
            let (cosine, sine) = (Float(cos(angle)), Float(direction * sin(angle)))
            for head in 0..<heads {
              let first = ((sequence * heads + head) * length + position) * width + pair * step
              let (a, b) = (span[first], span[first + second])
              span[first] = a * cosine - b * sine
              span[first + second] = a * sine + b * cosine
            }
          }
        }
      }
    }
    return result
  }
}
