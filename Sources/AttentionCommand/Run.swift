import ArgumentParser
import Attention
import Safetensors

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute attention of the queries, keys and values in a safetensors file.",
    discussion: """
      Input tensors: query [B,H,Sq,D], key [B,G,Sk,D], value [B,G,Sk,Dv] of one type (F32, F64, F16, BF16); optional \
      mask (BOOL or U8, broadcastable to [B,H,Sq,Sk], 1 = attend), bias (float, broadcastable likewise), key_mask \
      [B,Sk], key_lengths [B], query_offsets [B], alibi_slopes [H], sinks [H], and output_gradient of the output's \
      shape. Other tensors are ignored.

      Output tensors: output, of the input's type and layout, and lse [B,H,Sq]; weights and scores [B,H,Sq,Sk] when \
      emitted. With output_gradient also query_gradient, key_gradient and value_gradient, and bias_gradient and \
      sinks_gradient where the input has bias and sinks. lse, weights, scores and the last two are F32 when the input \
      is F16 or BF16.
      """)

  @Argument(help: "Safetensors file with the inputs.")
  var input: String

  @Option(name: .shortAndLong, help: "Safetensors file to write; it appears whole or not at all.")
  var output: String

  @Option(help: "Order of axes in the file: bhsd is [batch, heads, length, dimension].")
  var layout: AttentionLayout = .bhsd

  @OptionGroup var options: ProblemOptions

  @Flag(help: "Run the oracle, naive loops in double precision, instead of the kernels.")
  var reference = false

  @Option(
    help: ArgumentHelp("Also write these [B,H,Sq,Sk] arrays.", valueName: "weights,scores"),
    transform: { argument in
      try argument.split(separator: ",", omittingEmptySubsequences: false).reduce(into: EmittedMatrices()) {
        switch $1 {
        case "weights": $0.insert(.weights)
        case "scores": $0.insert(.scores)
        default: throw ValidationError("--emit takes weights, scores or both with a comma, not '\($1)'")
        }
      }
    })
  var emit: EmittedMatrices = []

  func run() throws {
    var problem = try InputProblem(path: input, layout: layout, arguments: options)
    let results = try problem.withProgress(known: !reference) { (problem) throws(CommandFailure) in
      reference ? problem.runReference(emitting: emit) : try problem.runFused(emitting: emit)
    }
    let shape = problem.shape
    let rows = [shape.batch, shape.queryHeads, shape.queryLength]
    do throws(SafetensorsError) {
      var writer = SafetensorsWriter()
      try writer.add("output", type: problem.type.fileType, shape: problem.outputShape, bytes: results.output)
      try writer.add("lse", type: problem.type.computeFileType, shape: rows, bytes: results.logSumExp)
      for (name, matrix) in [("weights", results.weights), ("scores", results.scores)] {
        guard let matrix else { continue }
        try writer.add(name, type: problem.type.computeFileType, shape: rows + [shape.keyLength], bytes: matrix)
      }
      for gradient in results.gradients {
        try writer.add(gradient.name, type: gradient.type, shape: gradient.shape, bytes: gradient.bytes)
      }
      try writer.write(to: output)
    } catch {
      throw CommandFailure(status: ExitStatus.cannotCreate, message: error.description)
    }
  }
}
