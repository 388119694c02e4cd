/// Adam (Kingma and Ba 2015, arXiv:1412.6980), with decoupled weight decay (Loshchilov and Hutter 2019,
/// arXiv:1711.05101) where it is above 0:
///
///     m ← β₁ m + (1 − β₁) g                v ← β₂ v + (1 − β₂) g²
///     x ← (1 − rate·decay) x − rate/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// PyTorch: `torch.optim.Adam`, and `AdamW` with a decay. One pass over the numbers, in place; the same bits at any
/// number of threads.
///
/// ```swift
/// let adam = Adam(learningRate: 0.001)
/// var moments = AdamMoments(shape: layer.weight.shape)
/// adam.step(1, &layer.weight, gradient: .dense(gradients.weight), &moments)
/// ```
public struct Adam: Sendable, Equatable {
  /// The step size, at least 0.
  public var learningRate: Double
  /// β₁, in 0..<1.
  public var beta1: Double
  /// β₂, in 0..<1.
  public var beta2: Double
  /// ε.
  public var epsilon: Double
  /// How much of a parameter goes in each step, times the rate; 0 = none.
  public var weightDecay: Double

  /// The paper's factors unless others are given.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Takes step t, counted from 1, for one parameter.
  ///
  /// Rows without a gradient take the step of a gradient of 0: the result is that of the dense gradient.
  ///
  /// - Parameter scale: What the gradient is multiplied by, to clip it.
  public func step(
    _ t: Int, _ parameter: inout Tensor, gradient: ParameterGradient, _ moments: inout AdamMoments, scale: Double = 1
  ) {
    require(
      parameter.shape == gradient.shape && parameter.shape == moments.mean.shape,
      "Adam: the parameter has shape \(parameter.shape), gradient \(gradient.shape), moments \(moments.mean.shape)")
    let step = Kernel.AdamStep(
      rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: weightDecay, scale: scale, step: t)
    parameter.withScalars { parameter in
      moments.mean.withScalars { mean in
        moments.square.withScalars { square in
          Kernel.adam(step, gradient.runs, &parameter, gradient: gradient.scalars, mean: &mean, square: &square)
        }
      }
    }
  }
}

/// m and v of ``Adam`` for one parameter, 0 before the first step.
public struct AdamMoments: Sendable, Equatable {
  /// m.
  public var mean: Tensor
  /// v.
  public var square: Tensor

  /// Those before the first step.
  public init(shape: [Int]) {
    mean = Tensor(repeating: 0, shape: shape)
    square = mean
  }

  /// Those of earlier steps, of one shape.
  public init(mean: Tensor, square: Tensor) {
    require(mean.shape == square.shape, "AdamMoments: shapes \(mean.shape) and \(square.shape) differ")
    self.mean = mean
    self.square = square
  }
}

/// What a loss changes by with a parameter: all of its numbers, or some rows.
public enum ParameterGradient: Sendable, Equatable {
  /// Of every number.
  case dense(Tensor)
  /// Of some rows of a table; the others' is 0.
  case sparse(SparseRows)

  /// The parameter's shape.
  public var shape: [Int] {
    switch self {
    case .dense(let tensor): tensor.shape
    case .sparse(let rows): [rows.count, rows.values.shape[1]]
    }
  }

  /// Σ g², added in a fixed order.
  public var sumOfSquares: Double { Kernel.sumOfSquares(scalars) }

  /// The whole tensor.
  public var dense: Tensor {
    switch self {
    case .dense(let tensor): tensor
    case .sparse(let rows): rows.dense
    }
  }

  fileprivate var scalars: [Float] {
    switch self {
    case .dense(let tensor): tensor.scalars
    case .sparse(let rows): rows.values.scalars
    }
  }

  /// The parameter's numbers as runs with a gradient in one piece, or none.
  fileprivate var runs: [Kernel.AdamRun] {
    guard case .sparse(let sparse) = self else { return [Kernel.AdamRun(range: 0..<scalars.count, gradient: 0)] }
    let width = sparse.values.shape[1]
    var runs: [Kernel.AdamRun] = []
    var (next, index) = (0, 0)
    func add(_ rows: Range<Int>, _ gradient: Int?) {
      if !rows.isEmpty {
        runs.append(Kernel.AdamRun(range: rows.lowerBound * width..<rows.upperBound * width, gradient: gradient))
      }
    }
    while index < sparse.rows.count {
      let first = index
      repeat { index += 1 } while index < sparse.rows.count && sparse.rows[index] == sparse.rows[index - 1] + 1
      add(next..<sparse.rows[first], nil)
      next = sparse.rows[index - 1] + 1
      add(sparse.rows[first]..<next, first * width)
    }
    add(next..<sparse.count, nil)
    return runs
  }
}
