import CAttention

/// The library and the machine it runs on.
public enum AttentionSystem {
  /// Version of the library, "major.minor.patch".
  public static var version: String { String(cString: attn_version()) }

  /// The instruction sets that kernels exist for, best first, and whether this machine has them.
  public static var instructionSets: [(name: String, isAvailable: Bool)] {
    (0..<attn_isa_count()).map { (String(cString: attn_isa_name($0)), attn_isa_available($0)) }
  }

  /// The instruction set that calls use: what `ATTENTION_ISA` names, else the best available; nil when `ATTENTION_ISA`
  /// names none that can run.
  public static var defaultInstructionSet: String? { attn_isa_default().map { String(cString: $0) } }

  /// The number of threads that a call uses unless it says otherwise: OpenMP's choice (`OMP_NUM_THREADS`).
  public static var maximumThreads: Int { Int(attn_max_threads()) }

  /// Bytes of a core's cache of level 1 (data) or 2.
  public static func cacheBytes(level: Int) -> Int { Int(attn_cache_bytes(Int32(level))) }

  /// Frees the scratch memory that is kept from call to call.
  public static func releaseMemory() { attn_release_memory() }

  /// Has the process keep the memory that it frees, from now to its end, for a program that does little else than train.
  ///
  /// Every batch takes and frees arrays of many megabytes. glibc gives such memory back to the system, which clears it
  /// anew, page by page, when the next batch takes it: 3 % of the training of 7 million parameters on two threads. No
  /// training does this by itself, since it is a setting of the whole process. With other C libraries nothing changes.
  public static func keepFreedMemory() { attn_keep_freed_memory() }
}

extension AttentionProgress {
  /// The work items that have ended, of the ``AttentionPlan/items`` of the call.
  public var completedItems: Int { Int(attn_progress_read(counter)) }
}

/// Slopes of ALiBi for a number of heads (Press et al. 2021, arXiv:2108.12409): 2^(−8(h+1)/heads) for powers of two; for
/// other counts those of the next lower power of two, then every other one of the next higher, as in the authors' code.
public func alibiSlopes(heads: Int) -> [Double] {
  require(heads >= 0, "alibiSlopes: \(heads) heads")
  return [Double](unsafeUninitializedCapacity: heads) { buffer, count in
    _ = attn_alibi_slopes(Int64(heads), buffer.baseAddress)
    count = heads
  }
}
