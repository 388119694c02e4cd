/// Which sentences come together in a batch, and when: sentences of like lengths, in another order each epoch.
///
/// An epoch shuffles all sentences, sorts chunks of some batches by length, cuts them into batches and shuffles these.
/// It is a function of the lengths, the seed and the epoch's number alone: training resumes at any epoch with the
/// batches that it would have had.
///
/// ```swift
/// let schedule = BatchSchedule(pairs, batchSize: 64, seed: 0)
/// for indices in schedule.batches(epoch: 3) { train(PairBatch(indices.map { pairs[$0] })) }
/// ```
public struct BatchSchedule: Sendable, Equatable {
  /// By what sentences are sorted.
  private let keys: [Int]
  /// Sentences in a batch; one batch of an epoch may have fewer.
  public let batchSize: Int
  /// How many batches are sorted together.
  public let chunkSize: Int
  /// What the order follows from.
  public let seed: UInt64

  /// A schedule of pairs, sorted by the target's length, where the work is, and then the source's.
  public init(_ pairs: [EncodedPair], batchSize: Int, chunkSize: Int = 100, seed: UInt64) {
    self.init(
      lengths: pairs.map { $0.target.count << 32 + $0.source.count }, batchSize: batchSize, chunkSize: chunkSize,
      seed: seed)
  }

  /// A schedule of sentences of the given lengths.
  public init(lengths: [Int], batchSize: Int, chunkSize: Int = 100, seed: UInt64) {
    require(
      batchSize > 0 && chunkSize > 0,
      "BatchSchedule: expected a batch size and a chunk size above 0, got \(batchSize) and \(chunkSize)")
    keys = lengths
    self.batchSize = batchSize
    self.chunkSize = chunkSize
    self.seed = seed
  }

  /// How many batches an epoch has.
  public var batchCount: Int { keys.isEmpty ? 0 : (keys.count - 1) / batchSize + 1 }

  /// The batches of an epoch, 0 or above, as indices of the sentences; each sentence is in one.
  public func batches(epoch: Int) -> [[Int]] {
    require(epoch >= 0, "BatchSchedule: expected an epoch of 0 or above, got \(epoch)")
    var generator = SeededGenerator(seed: seed, stream: UInt64(epoch))
    var order = Array(keys.indices)
    generator.shuffle(&order)
    var batches: [[Int]] = []
    batches.reserveCapacity(batchCount)
    // A chunk is a multiple of the batch: only the last batch of the last chunk can be smaller.
    let (product, overflow) = chunkSize.multipliedReportingOverflow(by: batchSize)
    let step = overflow ? max(order.count, 1) : product
    for start in stride(from: 0, to: order.count, by: step) {
      let chunk = order[start..<min(order.count - start, step) + start]
      let sorted = chunk.indices.sorted { a, b in
        let (left, right) = (keys[order[a]], keys[order[b]])
        return left != right ? left < right : a < b
      }
      for begin in stride(from: 0, to: sorted.count, by: batchSize) {
        batches.append(sorted[begin..<min(sorted.count - begin, batchSize) + begin].map { order[$0] })
      }
    }
    generator.shuffle(&batches)
    return batches
  }
}
