import ArgumentParser
import Attention

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what will run for a shape: kernel, tiles, operations, bytes, scratch memory.",
    discussion: "The shape is that of a file, or is given by options.")

  @Argument(help: "Safetensors file with query, key and value; without it, the shape of the options.")
  var input: String?

  @OptionGroup var shapeOptions: ShapeOptions

  @Option(help: "Element type: f32, f64, f16 or bf16.")
  var type: TypeArgument = .f32

  @Option(help: "Order of axes in the file.")
  var layout: AttentionLayout = .bhsd

  @OptionGroup var options: ProblemOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var shape = shapeOptions.shape
    var scalarType = type.scalarType
    var mask = options.mask
    var attention = AttentionOptions(softcap: options.softcap, threads: options.threads)
    if let input {
      let problem = try InputProblem(path: input, layout: layout, arguments: options)
      (shape, scalarType, mask, attention) = (problem.shape, problem.type, problem.mask, problem.options)
    }
    let report: Report
    do throws(AttentionError) {
      report = Report(
        shape: shape, type: scalarType,
        plan: try AttentionPlan(shape: shape, type: scalarType, mask: mask, options: attention))
    } catch {
      throw input.map { CommandFailure.badInput($0, error) } ?? CommandFailure.usage(error.message)
    }
    print(json ? try encodeJSON(report) : report.text)
  }

  struct Report: Encodable {
    var queries, keys, values: [Int]
    var type: String
    var instructionSet, kernel: String
    var threads: Int
    var registerTile, scoreTile: [Int]
    var itemRows, items: Int
    var fullTiles, boundaryTiles, skippedTiles: Int
    var visiblePairs, flops, executedFlops, bytes, expectedShare: Double
    var scratchBytes: Int

    init(shape: AttentionShape, type: AttentionScalarType, plan: AttentionPlan) {
      queries = [shape.batch, shape.queryHeads, shape.queryLength, shape.headDimension]
      keys = [shape.batch, shape.keyHeads, shape.keyLength, shape.headDimension]
      values = [shape.batch, shape.keyHeads, shape.keyLength, shape.valueDimension]
      self.type = type.rawValue
      instructionSet = plan.instructionSet
      kernel = plan.kernel
      threads = plan.threads
      registerTile = plan.registerTile
      scoreTile = plan.scoreTile
      itemRows = plan.itemRows
      items = plan.items
      fullTiles = plan.fullTiles
      boundaryTiles = plan.boundaryTiles
      skippedTiles = plan.skippedTiles
      visiblePairs = plan.visiblePairs
      flops = plan.flops
      executedFlops = plan.executedFlops
      bytes = plan.bytes
      expectedShare = plan.expectedShare
      scratchBytes = plan.scratchBytes
    }

    var text: String {
      let overhead = flops > 0 ? " (\(significant((executedFlops / flops - 1) * 100)) % more than visible)" : ""
      return [
        "shape           queries \(queries), keys \(keys), values \(values), \(type)",
        "kernel          \(kernel) on \(threads) thread\(threads == 1 ? "" : "s")",
        "register tile   \(tile(registerTile)), over two panels \(tile([registerTile[0] / 2, 2 * registerTile[1]]))",
        "score tile      \(scoreTile[0]) queries × \(scoreTile[1]) keys",
        "work items      \(items) of up to \(itemRows) query rows",
        "tiles           \(fullTiles) full, \(boundaryTiles) boundary, \(skippedTiles) skipped",
        "visible pairs   \(scaled(visiblePairs, "").trimmed)",
        "operations      \(scaled(flops, "FLOP")), executed \(scaled(executedFlops, "FLOP"))\(overhead)",
        "expected share  \(significant(expectedShare * 100)) % of the FMA peak, counting products, softmax and packing",
        "bytes           \(bytesText(Int(bytes))) in and out",
        "scratch memory  \(bytesText(scratchBytes))",
      ].joined(separator: "\n")
    }
  }
}

private func tile(_ sizes: [Int]) -> String { "\(sizes[0]) × \(sizes[1])" }

extension String {
  fileprivate var trimmed: Substring {
    self[startIndex..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)]
  }
}
