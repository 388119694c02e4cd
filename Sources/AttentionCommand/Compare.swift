import ArgumentParser
import Attention
import AttentionReference
import Safetensors

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare fused attention with the textbook code: error, time, memory.",
    discussion: """
      The problem is that of a file, or random queries, keys and values of a shape given by options. Errors are the \
      largest differences from the oracle, which computes in double precision; naive is the textbook code in the type \
      computed in, with the whole matrix of scores in memory. Memory is the growth of the largest resident size while \
      each of the two runs. When the file holds a tensor "output", the fused output is compared with it too.
      """)

  @Argument(help: "Safetensors file with query, key and value; without it, random numbers of the shape of the options.")
  var input: String?

  @OptionGroup var shapeOptions: ShapeOptions

  @Option(help: "Order of axes in the file.")
  var layout: AttentionLayout = .bhsd

  @OptionGroup var options: ProblemOptions

  @Option(help: "Timed runs of the fused kernels; the median is shown.")
  var repetitions = 5

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if repetitions < 1 { throw ValidationError("--repetitions is \(repetitions); it must be at least 1") }
  }

  func run() throws {
    let comparison: Comparison
    if let input {
      let problem = try InputProblem(path: input, layout: layout, arguments: options)
      comparison = try Comparison(of: problem, repetitions: repetitions)
    } else {
      comparison = try Comparison(ofRandom: shapeOptions.shape, options, repetitions: repetitions)
    }
    print(json ? try encodeJSON(comparison.report) : comparison.report.text)
  }
}
