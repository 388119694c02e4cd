import Attention
import AttentionReference
import Testing

@Suite struct ConcurrencyTests {
  @Test func eightTasksAtOnce() async throws {
    let problems = (0..<8).map { index in
      Problem(
        heads: 1 + index % 3, queries: 40 + 13 * index, keys: 150 - 11 * index, dimension: 8 + 4 * index,
        seed: UInt64(index), options: ReferenceOptions(windowLeft: 20 + index))
    }
    let types = AttentionScalarType.testable
    let serial = try problems.enumerated().map { try $1.fused(as: types[$0 % types.count]).bits }
    let concurrent = try await withThrowingTaskGroup(of: (Int, [FusedResult.Bits]).self) { group in
      for (index, problem) in problems.enumerated() {
        group.addTask {
          let threads = [1, 2, nil, 3][index % 4]
          let runs = try (0..<4).map { _ in
            try problem.fused(as: types[index % types.count], threads: threads).bits
          }
          return (index, runs)
        }
      }
      var results: [Int: [FusedResult.Bits]] = [:]
      for try await (index, runs) in group { results[index] = runs }
      return results
    }
    #expect(concurrent.count == 8)
    for (index, runs) in concurrent {
      #expect(runs == [FusedResult.Bits](repeating: serial[index], count: 4), "\(problems[index])")
    }
  }

  /// Memory that other calls use stays theirs.
  @Test func releasingMemoryMeanwhile() async throws {
    let problem = Problem(queries: 100, keys: 100)
    let expected = try problem.fused().bits
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try (0..<10).allSatisfy { _ in
            AttentionSystem.releaseMemory()
            return try problem.fused().bits == expected
          }
        }
      }
      var count = 0
      for try await same in group {
        #expect(same)
        count += 1
      }
      #expect(count == 4)
    }
  }
}
