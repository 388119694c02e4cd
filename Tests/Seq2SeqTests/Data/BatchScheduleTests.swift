import Seq2Seq
import Testing

@Suite struct BatchScheduleTests {
  private func lengths(_ count: Int, seed: UInt64) -> [Int] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Int.random(in: 1...40, using: &generator) }
  }

  @Test(arguments: [
    (0, 4, 3), (1, 4, 3), (12, 4, 3), (100, 7, 3), (101, 10, 100), (50, 64, 2), (50, 1, 1), (9, .max, 2),
  ])
  func eachSentenceOnceAnEpoch(count: Int, batchSize: Int, chunkSize: Int) {
    let schedule = BatchSchedule(lengths: lengths(count, seed: 1), batchSize: batchSize, chunkSize: chunkSize, seed: 2)
    let batches = schedule.batches(epoch: 0)
    #expect(batches.joined().sorted() == Array(0..<count))
    #expect(batches.count == (count == 0 ? 0 : (count - 1) / batchSize + 1))
    #expect(batches.count { $0.count < batchSize } <= 1)
    #expect(schedule.batchCount == batches.count)
  }

  @Test func epochsAreFunctionsOfSeedAndNumber() {
    let lengths = lengths(300, seed: 3)
    let schedule = BatchSchedule(lengths: lengths, batchSize: 16, seed: 5)
    let epochs = (0..<6).map { schedule.batches(epoch: $0) }
    let again = BatchSchedule(lengths: lengths, batchSize: 16, seed: 5)
    #expect([5, 2, 0].map { again.batches(epoch: $0) } == [epochs[5], epochs[2], epochs[0]])
    #expect(Set(epochs).count == 6)
    #expect(BatchSchedule(lengths: lengths, batchSize: 16, seed: 6).batches(epoch: 0) != epochs[0])
  }

  /// The same on every machine and with every compiler: what another program gives for the generators and steps that
  /// the documentation names.
  @Test func recordedOrder() {
    let schedule = BatchSchedule(lengths: [5, 3, 9, 1, 4, 4, 7, 2], batchSize: 3, chunkSize: 2, seed: 11)
    #expect(schedule.batches(epoch: 0) == [[0, 6, 2], [1, 4], [3, 7, 5]])
    #expect(schedule.batches(epoch: 1) == [[4, 0, 2], [3, 1, 5], [7, 6]])
  }

  @Test func batchesHaveLikeLengths() {
    let lengths = lengths(6400, seed: 4)
    func padding(_ batches: [[Int]]) -> Int {
      batches.reduce(0) { $0 + $1.map { lengths[$0] }.max()! * $1.count } - lengths.reduce(0, +)
    }
    let sorted = BatchSchedule(lengths: lengths, batchSize: 64, chunkSize: 20, seed: 0).batches(epoch: 0)
    let unsorted = BatchSchedule(lengths: lengths, batchSize: 64, chunkSize: 1, seed: 0).batches(epoch: 0)
    #expect(padding(sorted) * 10 < padding(unsorted))
    // But not in the order of their lengths.
    let longest = sorted.map { $0.map { lengths[$0] }.max()! }
    #expect(longest != longest.sorted() && longest != longest.sorted(by: >))
  }

  @Test func pairsAreSortedByTargetThenSource() {
    let pairs = (0..<64).map {
      EncodedPair(source: Array(repeating: 4, count: 1 + $0 % 8), target: Array(repeating: 4, count: 1 + $0 / 8))
    }
    for batch in BatchSchedule(pairs, batchSize: 4, chunkSize: 16, seed: 1).batches(epoch: 0) {
      #expect(Set(batch.map { pairs[$0].target.count }).count == 1)
      #expect(batch.map { pairs[$0].source.count } == batch.map { pairs[$0].source.count }.sorted())
    }
  }
}
