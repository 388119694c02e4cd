import ArgumentParser
import Attention

/// An element type by its name in files.
enum TypeArgument: String, ExpressibleByArgument, CaseIterable {
  case f32, f64, f16, bf16

  var scalarType: AttentionScalarType {
    switch self {
    case .f32: .float32
    case .f64: .float64
    case .f16: .float16
    case .bf16: .bfloat16
    }
  }
}

/// A shape given on the command line.
struct ShapeOptions: ParsableArguments {
  @Option(help: "B, the number of sequences.")
  var batch = 1

  @Option(help: "H, the number of query heads.")
  var heads = 8

  @Option(help: "G, the number of key/value heads (default: H).")
  var kvHeads: Int?

  @Option(help: "Sq, the number of queries.")
  var queries = 2048

  @Option(help: "Sk, the number of keys (default: Sq).")
  var keys: Int?

  @Option(help: "D, the head dimension.")
  var dimension = 64

  @Option(help: "Dv, the dimension of values (default: D).")
  var valueDimension: Int?

  func validate() throws {
    for (name, size) in [
      ("batch", batch), ("heads", heads), ("kv-heads", kvHeads ?? 1), ("dimension", dimension),
      ("value-dimension", valueDimension ?? 1),
    ] where size < 1 {
      throw ValidationError("--\(name) is \(size); it must be at least 1")
    }
    for (name, size) in [("queries", queries), ("keys", keys ?? 0)] where size < 0 {
      throw ValidationError("--\(name) is \(size); it must not be negative")
    }
    for size in [batch, heads, queries, keys ?? 0, dimension, valueDimension ?? 1] where size > Int(Int32.max) {
      throw ValidationError("\(size) is too large for a size; the largest is \(Int32.max)")
    }
    if let kvHeads, heads % kvHeads != 0 {
      throw ValidationError("--heads (\(heads)) is not a multiple of --kv-heads (\(kvHeads))")
    }
  }

  var shape: AttentionShape {
    AttentionShape(
      batch: batch, queryHeads: heads, keyHeads: kvHeads, queryLength: queries, keyLength: keys,
      headDimension: dimension, valueDimension: valueDimension)
  }
}
