import ArgumentParser
import Seq2Seq

extension ModelConfiguration.Cell: ExpressibleByArgument {}
extension ModelConfiguration.Attention: ExpressibleByArgument {}

/// The form of a model.
struct ModelOptions: ParsableArguments {
  @Option(help: "lstm or gru (default: lstm).")
  var cell: ModelConfiguration.Cell?

  @Option(help: ArgumentHelp("E, the width of the embeddings (default: 256, of a task 64).", valueName: "N"))
  var embedding: Int?

  @Option(help: ArgumentHelp("H, the width of the states (default: 256, of a task 128).", valueName: "N"))
  var hidden: Int?

  @Option(help: ArgumentHelp("Layers of the encoder and of the decoder (default: 1).", valueName: "N"))
  var layers: Int?

  @Option(
    help: ArgumentHelp(
      "additive, dot, scaled-dot, general, concat, cosine, local or none (default: additive).", valueName: "NAME"))
  var attention: ModelConfiguration.Attention?

  @Flag(help: "The encoder reads from left to right only, not in both directions.")
  var oneDirection = false

  @Flag(help: "The decoder reads what it attended to a word before (Luong et al. 2015). Training takes longer.")
  var inputFeeding = false

  @Flag(
    inversion: .prefixedNo,
    help: """
      With it the vocabulary's layer reads tanh(W [context; state]), of H units (Luong et al. 2015); without it \
      [context; state] as they are, which takes a larger layer and learns in fewer epochs (default: without it, of a \
      task with it).
      """)
  var attentionalLayer: Bool?

  @Option(help: ArgumentHelp("Dropout (default: 0.4, of a task 0).", valueName: "P"))
  var dropout: Double?

  func validate() throws {
    try check("--embedding", embedding ?? 1, 1...65_536)
    try check("--hidden", hidden ?? 1, 1...65_536)
    try check("--layers", layers ?? 1, 1...64)
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout is \(dropout); it must be at least 0 and below 1")
    }
  }

  /// What a model of a task, or of a file of pairs, begins with.
  static func defaults(isTask: Bool) -> ModelConfiguration {
    var configuration = ModelConfiguration()
    configuration.attentionalLayer = isTask
    configuration.dropout = isTask ? 0 : 0.4
    if isTask {
      configuration.embeddingDimensions = 64
      configuration.hiddenDimensions = 128
    }
    return configuration
  }

  /// `configuration` with the options that were given.
  func applied(to configuration: ModelConfiguration) -> ModelConfiguration {
    var result = configuration
    if let cell { result.cell = cell }
    if let embedding { result.embeddingDimensions = embedding }
    if let hidden { result.hiddenDimensions = hidden }
    if let layers { result.layers = layers }
    if let attention { result.attention = attention }
    if oneDirection { result.bidirectional = false }
    if inputFeeding { result.inputFeeding = true }
    if let attentionalLayer { result.attentionalLayer = attentionalLayer }
    if let dropout { result.dropout = dropout }
    return result
  }
}
