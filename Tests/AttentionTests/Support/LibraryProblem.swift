import Attention
import AttentionReference

extension Problem {
  /// The options that are masks, said to the library.
  var mask: AttentionMask {
    var mask: AttentionMask = options.causal ? .causal : .none
    if let alignment {
      mask = mask & .aligned(alignment)
    } else if options.queryOffsets.count == 1 {
      mask = mask & .aligned(queryOffset: options.queryOffsets[0])
    } else if !options.queryOffsets.isEmpty {
      mask = mask & .aligned(queryOffsets: options.queryOffsets)
    } else if options.causal && shape.queryLength != shape.keyLength {
      mask = mask & .aligned(.topLeft)
    }
    if options.windowLeft != nil || options.windowRight != nil {
      mask = mask & .window(left: options.windowLeft, right: options.windowRight)
    }
    if let lengths = options.keyLengths { mask = mask & .keyLengths(lengths) }
    if let dense = options.mask { mask = mask & .boolean(dense.elements, shape: dense.shape) }
    return mask
  }

  /// The other options, for a problem stored as `type`.
  func attentionOptions(
    for type: AttentionScalarType, instructionSet: String? = nil, threads: Int? = nil
  ) -> AttentionOptions {
    AttentionOptions(
      bias: options.bias.map { bias in
        type == .float64
          ? AttentionBias(bias.elements, shape: bias.shape)
          : AttentionBias(Tensor(bias.elements.map { Float($0) }, shape: bias.shape))
      },
      softcap: options.softcap > 0 ? options.softcap : nil, alibiSlopes: options.alibiSlopes, sinks: options.sinks,
      dropout: options.dropoutProbability > 0
        ? AttentionDropout(probability: options.dropoutProbability, seed: options.dropoutSeed) : nil,
      threads: threads, instructionSet: instructionSet)
  }

  func attentionShape(_ arrangement: Arrangement = Arrangement()) -> AttentionShape {
    var shape = AttentionShape(
      batch: shape.batch, queryHeads: shape.queryHeads, keyHeads: shape.keyHeads, queryLength: shape.queryLength,
      keyLength: shape.keyLength, headDimension: shape.headDimension, valueDimension: shape.valueDimension)
    shape.queryStrides = arrangement.strides(shape.queryHeads, shape.queryLength, shape.headDimension)
    shape.keyStrides = arrangement.strides(shape.keyHeads, shape.keyLength, shape.headDimension)
    shape.valueStrides = arrangement.strides(shape.keyHeads, shape.keyLength, shape.valueDimension)
    shape.outputStrides = arrangement.strides(shape.queryHeads, shape.queryLength, shape.valueDimension)
    return shape
  }
}

/// The instruction sets that this machine has.
let availableInstructionSets = AttentionSystem.instructionSets.filter(\.isAvailable).map(\.name)

/// How the rows of a problem lie in memory: the order of axes, elements between rows, and elements around the whole.
struct Arrangement: Sendable, CustomStringConvertible {
  var layout = AttentionLayout.bhsd
  var rowGap = 0
  var guardBand = 0

  var description: String { "\(layout), row gap \(rowGap), guard band \(guardBand)" }

  func strides(_ heads: Int, _ length: Int, _ dimension: Int) -> AttentionStrides {
    AttentionStrides(layout: layout, heads: heads, length: length, dimension: dimension + rowGap)
  }
}
