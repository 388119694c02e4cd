import Attention

/// Adam over all parameters of a model, with clipping by the norm of all gradients together.
struct Optimizer: Sendable, Equatable {
  /// m and v of each parameter, in the order of the model's.
  var moments: [AdamMoments]
  /// Steps taken.
  var steps = 0

  /// Before the first step. Parameters that are saved as [1, n] keep moments [n].
  init(_ model: TranslationModel) {
    var model = model
    var moments: [AdamMoments] = []
    model.forEachParameter { moments.append(AdamMoments(shape: $0.shape)) }
    self.moments = moments
  }

  /// Takes a step in place and returns the gradients' norm before clipping; nothing changes where that is not finite.
  mutating func step(
    _ model: inout TranslationModel, _ gradients: [NamedGradient], rate: Double, clip: Double?, decay: Double
  ) -> Double {
    let norm = gradients.reduce(0) { $0 + $1.gradient.sumOfSquares }.squareRoot()
    guard norm.isFinite else { return norm }
    let scale = clip.map { $0 / max(norm, $0) } ?? 1
    let adam = Adam(learningRate: rate, weightDecay: decay)
    steps += 1
    require(gradients.count == moments.count, "Optimizer: \(gradients.count) gradients, \(moments.count) parameters")
    var index = 0
    let step = steps
    model.forEachParameter { parameter in
      var gradient = gradients[index].gradient
      if case .dense(let tensor) = gradient, tensor.shape != parameter.shape {
        gradient = .dense(tensor.reshaped(to: parameter.shape))
      }
      adam.step(step, &parameter, gradient: gradient, &moments[index], scale: scale)
      index += 1
    }
    return norm
  }
}
