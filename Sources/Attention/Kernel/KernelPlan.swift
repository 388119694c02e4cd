import CAttention

extension AttentionPlan {
  /// The plan of the forward pass of a problem, on this machine.
  ///
  /// - Throws: ``AttentionError``, as the call itself would.
  public init(
    shape: AttentionShape, type: AttentionScalarType = .float32, mask: AttentionMask = .none,
    options: AttentionOptions = AttentionOptions()
  ) throws(AttentionError) {
    self.init()
    var info = attn_plan_info()
    if let error = Kernel.plan(type, shape, mask, options, &info) { throw error }
    instructionSet = String(cString: info.isa)
    kernel = String(cString: info.kernel)
    registerTile = [Int(info.register_rows), Int(info.register_columns)]
    scoreTile = [Int(info.block_rows), Int(info.block_keys)]
    itemRows = Int(info.item_rows)
    items = Int(info.items)
    threads = Int(info.threads)
    scratchBytes = Int(info.scratch_bytes)
    fullTiles = Int(info.tiles_full)
    boundaryTiles = Int(info.tiles_boundary)
    skippedTiles = Int(info.tiles_skipped)
    visiblePairs = info.visible_pairs
    flops = info.flops
    executedFlops = info.flops_executed
    bytes = info.bytes
    expectedShare = info.expected_share
  }
}

extension Kernel {
  fileprivate static func plan(
    _ type: AttentionScalarType, _ shape: AttentionShape, _ mask: AttentionMask, _ options: AttentionOptions,
    _ info: inout attn_plan_info
  ) -> AttentionError? {
    withProblem(type, shape, nil, mask, options) { problem in error(attn_plan_forward(&problem, &info)) }
  }
}
