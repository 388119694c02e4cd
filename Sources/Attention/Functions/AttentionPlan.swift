/// What a call will do: kernel, tiles, work and memory. Made without data, by ``init(shape:type:mask:options:)``.
public struct AttentionPlan: Sendable, Equatable {
  /// The instruction set.
  public internal(set) var instructionSet = ""
  /// The table of tile functions, such as `avx2-f32`.
  public internal(set) var kernel = ""
  /// Rows and columns of the register tile of both matrix products; where twice as many columns are left, it is half as
  /// many rows of them.
  public internal(set) var registerTile = [0, 0]
  /// Query rows and keys of a score tile.
  public internal(set) var scoreTile = [0, 0]
  /// Query rows of a work item.
  public internal(set) var itemRows = 0
  /// Work items.
  public internal(set) var items = 0
  /// Threads that will be used.
  public internal(set) var threads = 0
  /// Scratch memory of all threads, in bytes.
  public internal(set) var scratchBytes = 0
  /// Score tiles in which every pair is visible.
  public internal(set) var fullTiles = 0
  /// Score tiles that a bound or an explicit mask crosses.
  public internal(set) var boundaryTiles = 0
  /// Score tiles that are not computed.
  public internal(set) var skippedTiles = 0
  /// Pairs of query and key that causal masking, window and lengths leave.
  public internal(set) var visiblePairs = 0.0
  /// Floating-point operations of the visible pairs, 2·(D + Dv) each.
  public internal(set) var flops = 0.0
  /// The same for the pairs that the tiles compute.
  public internal(set) var executedFlops = 0.0
  /// Bytes of the inputs read once and the output written once.
  public internal(set) var bytes = 0.0
  /// ``flops`` as a share of the FMA peak, by count of instructions: the products of the pairs that the tiles compute,
  /// the softmax, the packing of keys and values. Options, short rows and memory cost more than it knows of.
  public internal(set) var expectedShare = 0.0

  init() {}
}
