import Attention
import Safetensors

// A checkpoint is a model's file with `training`, the state as JSON, in its metadata, and four sets of tensors: `model.`
// and `best.` with the parameters' names behind, `mean.` and `square.` for the moments of Adam.
extension Trainer {
  /// Writes all that training needs to go on with the bits it would have had, whole or not at all.
  ///
  /// - Throws: ``ModelError``.
  public func saveCheckpoint(to path: String) throws(ModelError) {
    var writer = SafetensorsWriter(metadata: model.metadata.merging(["training": state.json]) { $1 })
    do throws(SafetensorsError) {
      try model.addParameters(to: &writer, prefix: "model")
      try best.addParameters(to: &writer, prefix: "best")
      for (parameter, moments) in zip(model.parameters, optimizer.moments) {
        try writer.add("mean.\(parameter.name)", moments.mean.scalars, shape: moments.mean.shape)
        try writer.add("square.\(parameter.name)", moments.square.scalars, shape: moments.square.shape)
      }
      try writer.write(to: path)
    } catch {
      throw .file(error)
    }
  }

  /// Training as it was when the checkpoint was written.
  ///
  /// - Throws: ``ModelError`` where there is no such file, or it is damaged or no checkpoint.
  public static func resume(from path: String) throws(ModelError) -> Trainer {
    let file: SafetensorsFile
    do throws(SafetensorsError) {
      file = try SafetensorsFile(contentsOf: path)
    } catch {
      throw .file(error)
    }
    guard let text = file.metadata["training"] else { throw .missing(path: path, what: "a training checkpoint") }
    let state: TrainingState
    do throws(JSONError) {
      state = try TrainingState(json: text)
      if let problem = state.options.problem { throw .invalid(TrainingOptions.self, problem) }
    } catch {
      throw .configuration(path: path, error)
    }
    let model = try TranslationModel(file, prefix: "model")
    let best = try TranslationModel(file, prefix: "best")
    var optimizer = Optimizer(model)
    optimizer.steps = state.steps
    for (index, parameter) in model.parameters.enumerated() {
      let shape = optimizer.moments[index].mean.shape
      optimizer.moments[index] = AdamMoments(
        mean: try moment("mean.\(parameter.name)", shape, file),
        square: try moment("square.\(parameter.name)", shape, file))
    }
    return Trainer(model, best: best, optimizer, state)
  }

  private static func moment(
    _ name: String, _ shape: [Int], _ file: SafetensorsFile
  ) throws(ModelError) -> Tensor {
    guard let tensor = try? file.tensor(named: name) else {
      throw .parameters(path: file.path, .missing(name: name, alternatives: []))
    }
    guard tensor.shape == shape else {
      throw .parameters(path: file.path, .wrongShape(name: name, expected: shape, actual: tensor.shape))
    }
    return Tensor(tensor.scalars(as: Float.self), shape: shape)
  }
}
