/// The losses of rows against their classes, summed, and where asked for the gradients.
public struct CrossEntropy: Sendable, Equatable {
  /// Σ over rows of (1 − ε)·(−log p_target) + ε·mean_j(−log p_j).
  public var loss: Double
  /// Σ over rows of −log p_target, without label smoothing.
  public var negativeLogLikelihood: Double
  /// N, the number of rows.
  public var count: Int
  /// The gradients of `scale`·loss; nil where none were asked for.
  public var gradients: Gradients?

  /// Gradients of the rows and of the affine layer.
  public struct Gradients: Sendable, Equatable {
    /// [N, H].
    public var hidden: Tensor
    /// Of the layer to the classes.
    public var layer: Linear.Gradients
  }
}

extension Linear {
  /// Cross-entropy of the classes that this layer, from H hidden units to V classes, finds for rows:
  ///
  ///     z = hidden·Wᵀ + b,  p = softmax(z)
  ///     loss = Σ_rows (1 − ε)·(−log p_target) + ε/V·Σ_j (−log p_j)
  ///
  /// with label smoothing ε (Szegedy et al. 2016, arXiv:1512.00567). PyTorch:
  /// `F.cross_entropy(z, targets, label_smoothing=ε, reduction="sum")`. All logits together are never stored: rows pass
  /// in blocks, whose gradients are made in the place of their logits.
  ///
  /// - Parameters:
  ///   - hidden: [N, H].
  ///   - targets: The class of each row, in 0..<V.
  ///   - smoothing: ε, in 0..<1.
  ///   - gradientScale: What the gradients are multiplied by, 1 ÷ N for those of the mean; nil = no gradients.
  public func crossEntropy(
    _ hidden: Tensor, targets: [Int], smoothing: Double = 0, gradientScale: Double? = nil
  ) -> CrossEntropy {
    require(
      hidden.shape == [targets.count, inputDimensions],
      "cross-entropy: expected rows [\(targets.count), \(inputDimensions)], got \(hidden.shape)")
    require(smoothing >= 0 && smoothing < 1, "cross-entropy: expected a smoothing in 0..<1, got \(smoothing)")
    require(
      targets.allSatisfy { 0..<outputDimensions ~= $0 },
      "cross-entropy: expected targets in 0..<\(outputDimensions), got \(targets)")
    let result = Kernel.crossEntropy(
      hidden.scalars, weight: weight.scalars, bias: bias?.scalars, targets: targets, width: inputDimensions,
      smoothing: smoothing, scale: gradientScale)
    return CrossEntropy(
      loss: result.loss, negativeLogLikelihood: result.negativeLogLikelihood, count: targets.count,
      gradients: result.gradients.map {
        CrossEntropy.Gradients(
          hidden: Tensor($0.hidden, shape: hidden.shape),
          layer: Linear.Gradients(
            weight: Tensor($0.weight, shape: weight.shape), bias: $0.bias.map { Tensor($0, shape: [$0.count]) }))
      })
  }
}
